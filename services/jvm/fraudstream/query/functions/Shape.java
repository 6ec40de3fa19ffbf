package fraudstream.query.functions;

import fraudstream.query.values.Numbers;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A point, a line or a polygon without holes, in degrees: x is the longitude, y the latitude. */
final class Shape {
    private static final Pattern WKT = Pattern.compile(
        "\\s*(POINT|LINESTRING|POLYGON)\\s*(?:Z|M|ZM)?\\s*\\(([^()]*|\\s*\\([^()]*\\)\\s*)\\)\\s*",
        Pattern.CASE_INSENSITIVE);
    private static final String[] KINDS = {"Point", "LineString", "Polygon"};

    /** One of Point, LineString and Polygon. */
    final String kind;
    final double[] x;
    /** The last point of a polygon is its first one. */
    final double[] y;

    private Shape(String kind, List<double[]> points) {
        this.kind = kind;
        boolean isOpen = "Polygon".equals(kind) && !isSame(points.get(0), points.get(points.size() - 1));
        if (isOpen) {
            points.add(points.get(0));
        }
        x = points.stream().mapToDouble(point -> point[0]).toArray();
        y = points.stream().mapToDouble(point -> point[1]).toArray();
    }

    /** The shape of a GeoJSON record or a WKT text. Others stop the query. */
    static Shape of(Object value) {
        Shape shape = value instanceof Record ? ofRecord((Record) value)
            : value instanceof String ? ofText((String) value) : null;
        if (shape == null) {
            throw new QueryStopped(Values.shownFirst(value) + " is no point, line or polygon of GeoJSON or WKT.");
        }
        return shape;
    }

    boolean isPolygon() {
        return "Polygon".equals(kind);
    }

    private static boolean isSame(double[] first, double[] second) {
        return first[0] == second[0] && first[1] == second[1];
    }

    private static Shape ofRecord(Record record) {
        Object type = record.get("type");
        Object coordinates = record.get("coordinates");
        for (String kind : KINDS) {
            if (type instanceof String && kind.equalsIgnoreCase((String) type) && coordinates instanceof List) {
                return made(kind, points(kind, (List<?>) coordinates));
            }
        }
        return null;
    }

    private static Shape made(String kind, List<double[]> points) {
        int least = "Polygon".equals(kind) ? 3 : "LineString".equals(kind) ? 2 : 1;
        return points == null || points.size() < least ? null : new Shape(kind, points);
    }

    private static List<double[]> points(String kind, List<?> coordinates) {
        List<?> listed = "Point".equals(kind) ? List.of(coordinates) : coordinates;
        // The reference shows polygons with and without a list of rings.
        if ("Polygon".equals(kind) && listed.size() == 1 && listed.get(0) instanceof List) {
            listed = (List<?>) listed.get(0);
        }
        List<double[]> points = new ArrayList<>();
        for (Object item : listed) {
            if (!isPosition(item)) {
                return null;
            }
            List<?> position = (List<?>) item;
            points.add(new double[] {Numbers.number(position.get(0)), Numbers.number(position.get(1))});
        }
        return points;
    }

    private static boolean isPosition(Object item) {
        return item instanceof List && ((List<?>) item).size() >= 2
            && isDegree(((List<?>) item).get(0)) && isDegree(((List<?>) item).get(1));
    }

    private static boolean isDegree(Object value) {
        return value instanceof Long || value instanceof Double;
    }

    private static Shape ofText(String text) {
        Matcher matcher = WKT.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        String inside = matcher.group(2).strip();
        String word = matcher.group(1).toUpperCase(Locale.ROOT);
        boolean isPolygon = "POLYGON".equals(word);
        if (inside.startsWith("(") != isPolygon) {
            return null;
        }
        String listed = isPolygon ? inside.substring(1, inside.length() - 1) : inside;
        List<double[]> points = new ArrayList<>();
        for (String position : listed.split(",")) {
            String[] numbers = position.strip().split("\\s+");
            try {
                points.add(new double[] {Double.parseDouble(numbers[0]), Double.parseDouble(numbers[1])});
            } catch (NumberFormatException | ArrayIndexOutOfBoundsException error) {
                return null;
            }
        }
        return made(isPolygon ? "Polygon" : "POINT".equals(word) ? "Point" : "LineString", points);
    }
}
