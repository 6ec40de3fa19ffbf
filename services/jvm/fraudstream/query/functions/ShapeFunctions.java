package fraudstream.query.functions;

import fraudstream.query.values.Numbers;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/** Functions on points, lines and polygons as GeoJSON records or WKT texts. */
final class ShapeFunctions {
    private ShapeFunctions() {
    }

    static void addTo(Map<String, Function> table) {
        Functions.add(table, "createpoint", 2, 2, arguments -> point(arguments[0], arguments[1]));
        Functions.add(table, "createlinestring", 2, Function.ANY, arguments -> line(arguments));
        Functions.add(table, "createpolygon", 3, Function.ANY, arguments -> polygon(arguments));
        Functions.addEach(table, "st_distance", 2, () -> new Relation(ShapeFunctions::distance));
        Functions.addEach(table, "st_within", 2, () -> new Relation((shape, polygon) -> within(shape, polygon)));
        Functions.addEach(table, "st_overlaps", 2, () -> new Relation((first, second) -> overlap(first, second)));
        Functions.addEach(table, "st_intersects", 2,
            () -> new Relation((first, second) -> Plane.intersect(first, second) ? 1L : 0L));
    }

    /** Keeps the shapes of the last call, as one of them is often the same for many rows. */
    private static final class Relation implements Implementation {
        private final BiFunction<Shape, Shape, Object> relation;
        private final Object[] values = new Object[2];
        private final Shape[] shapes = new Shape[2];

        Relation(BiFunction<Shape, Shape, Object> relation) {
            this.relation = relation;
        }

        @Override
        public Object call(Object[] arguments) {
            return relation.apply(shape(arguments[0], 0), shape(arguments[1], 1));
        }

        private Shape shape(Object value, int place) {
            if (values[place] != value) {
                shapes[place] = Shape.of(value);
                values[place] = value;
            }
            return shapes[place];
        }
    }

    private static Record point(Object latitude, Object longitude) {
        List<Object> position = new ArrayList<>(2);
        position.add(Numbers.number(longitude));
        position.add(Numbers.number(latitude));
        return Record.of("type", "Point", "coordinates", position);
    }

    private static Record line(Object[] points) {
        return Record.of("type", "LineString", "coordinates", positions(points));
    }

    private static Record polygon(Object[] points) {
        List<Object> ring = positions(points);
        if (!Values.isSame(ring.get(0), ring.get(ring.size() - 1))) {
            throw new QueryStopped("The last point of a polygon must be its first one, "
                + Values.shown(ring.get(0)) + ", not " + Values.shown(ring.get(ring.size() - 1)) + ".");
        }
        long distinct = ring.stream().distinct().count();
        if (distinct < 3) {
            throw new QueryStopped("A polygon needs three different points, not " + distinct + ".");
        }
        List<Object> rings = new ArrayList<>(1);
        rings.add(ring);
        return Record.of("type", "Polygon", "coordinates", rings);
    }

    private static List<Object> positions(Object[] points) {
        List<Object> positions = new ArrayList<>(points.length);
        for (Object point : points) {
            Shape shape = Shape.of(point);
            if (shape.x.length != 1) {
                throw new QueryStopped("A point is needed, not " + Values.shown(point) + ".");
            }
            List<Object> position = new ArrayList<>(2);
            position.add(shape.x[0]);
            position.add(shape.y[0]);
            positions.add(position);
        }
        return positions;
    }

    /** Zero with polygons, as the reference says; otherwise between points, and ends of lines. */
    private static Double distance(Shape first, Shape second) {
        if (first.isPolygon() || second.isPolygon()) {
            return 0.0;
        }
        boolean areLines = first.x.length > 1 || second.x.length > 1;
        double least = areLines && Plane.intersect(first, second) ? 0 : Double.POSITIVE_INFINITY;
        for (int at = 0; at < first.x.length && least > 0; at++) {
            for (int other = 0; other < second.x.length; other++) {
                least = Math.min(least,
                    Earth.distance(first.x[at], first.y[at], second.x[other], second.y[other]));
            }
        }
        return least;
    }

    private static Long within(Shape shape, Shape polygon) {
        needPolygon(polygon);
        return Plane.isWithin(shape, polygon) ? 1L : 0L;
    }

    private static Long overlap(Shape first, Shape second) {
        needPolygon(first);
        needPolygon(second);
        return Plane.overlap(first, second) ? 1L : 0L;
    }

    private static void needPolygon(Shape shape) {
        if (!shape.isPolygon()) {
            throw new QueryStopped("A polygon is needed, not a " + shape.kind + ".");
        }
    }
}
