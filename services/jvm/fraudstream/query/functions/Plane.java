package fraudstream.query.functions;

import java.util.stream.DoubleStream;

/** How shapes lie to each other on the plane of longitude and latitude. The direction of a ring does not count. */
final class Plane {
    // A tenth of a millimetre on the ground.
    private static final double NEAR = 1e-9;
    private static final int INSIDE = 1;
    private static final int ON_BORDER = 0;
    private static final int OUTSIDE = -1;

    private Plane() {
    }

    /** Whether no part of a shape is outside the polygon, and some part is inside: not on the border alone. */
    static boolean isWithin(Shape shape, Shape polygon) {
        if (shape.x.length == 1) {
            return side(shape.x[0], shape.y[0], polygon) == INSIDE;
        }
        boolean[] seen = sides(shape, polygon);
        return !seen[0] && (seen[1] || shape.isPolygon());
    }

    /** Whether two polygons share some area, and neither is within the other. */
    static boolean overlap(Shape first, Shape second) {
        return !isWithin(first, second) && !isWithin(second, first)
            && (sides(first, second)[1] || sides(second, first)[1]);
    }

    /** Whether two shapes share a point. */
    static boolean intersect(Shape first, Shape second) {
        for (int at = 0; at < segments(first); at++) {
            for (int other = 0; other < segments(second); other++) {
                if (meet(first, at, second, other)) {
                    return true;
                }
            }
        }
        return second.isPolygon() && side(first.x[0], first.y[0], second) != OUTSIDE
            || first.isPolygon() && side(second.x[0], second.y[0], first) != OUTSIDE;
    }

    private static int segments(Shape shape) {
        return Math.max(1, shape.x.length - 1);
    }

    private static int end(Shape shape, int segment) {
        return Math.min(segment + 1, shape.x.length - 1);
    }

    private static boolean meet(Shape first, int at, Shape second, int other) {
        double[] places = cuts(first, at, second, other);
        for (double place : places) {
            if (place >= 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Where, from 0 to 1, a segment is cut by another shape's segment: at two places where both lie on one line, else
     * at one; -1 for none.
     */
    private static double[] cuts(Shape shape, int at, Shape other, int segment) {
        double startX = shape.x[at];
        double startY = shape.y[at];
        double wayX = shape.x[end(shape, at)] - startX;
        double wayY = shape.y[end(shape, at)] - startY;
        double otherX = other.x[segment];
        double otherY = other.y[segment];
        double otherWayX = other.x[end(other, segment)] - otherX;
        double otherWayY = other.y[end(other, segment)] - otherY;
        double cross = wayX * otherWayY - wayY * otherWayX;
        double length = Math.hypot(wayX, wayY);
        double otherLength = Math.hypot(otherWayX, otherWayY);
        if (Math.abs(cross) > NEAR * length * otherLength && length > 0 && otherLength > 0) {
            double place = ((otherX - startX) * otherWayY - (otherY - startY) * otherWayX) / cross;
            double otherPlace = ((otherX - startX) * wayY - (otherY - startY) * wayX) / cross;
            boolean isCut = isPlace(place, length) && isPlace(otherPlace, otherLength);
            return new double[] {isCut ? Math.max(0, Math.min(1, place)) : -1};
        }
        double[] found = {-1, -1, -1, -1};
        found[0] = placeOn(startX, startY, wayX, wayY, otherX, otherY);
        found[1] = placeOn(startX, startY, wayX, wayY, otherX + otherWayX, otherY + otherWayY);
        found[2] = placeOn(otherX, otherY, otherWayX, otherWayY, startX, startY) >= 0 ? 0 : -1;
        found[3] = placeOn(otherX, otherY, otherWayX, otherWayY, startX + wayX, startY + wayY) >= 0 ? 1 : -1;
        return found;
    }

    private static boolean isPlace(double place, double length) {
        return place * length >= -NEAR && (place - 1) * length <= NEAR;
    }

    /** Where a point lies on a segment, or -1. */
    private static double placeOn(double startX, double startY, double wayX, double wayY, double x, double y) {
        double square = wayX * wayX + wayY * wayY;
        double place = square == 0 ? 0
            : Math.max(0, Math.min(1, ((x - startX) * wayX + (y - startY) * wayY) / square));
        return Math.hypot(startX + place * wayX - x, startY + place * wayY - y) <= NEAR ? place : -1;
    }

    private static int side(double x, double y, Shape polygon) {
        boolean isInside = false;
        for (int at = 0; at < segments(polygon); at++) {
            double startX = polygon.x[at];
            double startY = polygon.y[at];
            double endX = polygon.x[at + 1];
            double endY = polygon.y[at + 1];
            if (placeOn(startX, startY, endX - startX, endY - startY, x, y) >= 0) {
                return ON_BORDER;
            }
            if (startY > y != endY > y && x < (endX - startX) * (y - startY) / (endY - startY) + startX) {
                isInside = !isInside;
            }
        }
        return isInside ? INSIDE : OUTSIDE;
    }

    /** Whether a part of a line or of a polygon's border is outside another polygon, and whether one is inside. */
    private static boolean[] sides(Shape shape, Shape polygon) {
        boolean[] seen = new boolean[2];
        for (int at = 0; at < segments(shape); at++) {
            double[] places = cutPlaces(shape, at, polygon);
            for (int part = 1; part < places.length; part++) {
                double middle = (places[part - 1] + places[part]) / 2;
                double x = shape.x[at] + middle * (shape.x[end(shape, at)] - shape.x[at]);
                double y = shape.y[at] + middle * (shape.y[end(shape, at)] - shape.y[at]);
                int side = side(x, y, polygon);
                seen[0] |= side == OUTSIDE;
                seen[1] |= side == INSIDE;
            }
        }
        return seen;
    }

    private static double[] cutPlaces(Shape shape, int at, Shape polygon) {
        DoubleStream.Builder places = DoubleStream.builder();
        places.add(0).add(1);
        for (int segment = 0; segment < segments(polygon); segment++) {
            for (double place : cuts(shape, at, polygon, segment)) {
                if (place >= 0) {
                    places.add(place);
                }
            }
        }
        return places.build().sorted().distinct().toArray();
    }
}
