package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Record;

/** What is read from the scope: fields of rows, whole rows, times, and the values that operators computed. */
final class Fields {
    private Fields() {
    }

    /** A field of the first source that has it. */
    static Expression field(JsonNode node) {
        int[] sources = new int[node.get("sources").size()];
        for (int place = 0; place < sources.length; place++) {
            sources[place] = node.get("sources").get(place).asInt();
        }
        String[] path = path(node);
        return path.length == 1 && sources.length == 1 ? new Column(sources[0], path[0]) : new Path(sources, path);
    }

    /** A field of what another expression gives. */
    static Expression member(JsonNode node, Expression of) {
        String[] path = path(node);
        return scope -> inside(of.value(scope), path, 0);
    }

    static Expression row(int source) {
        return scope -> scope.rows[source];
    }

    static Expression time(JsonNode node) {
        if (!node.has("source")) {
            return scope -> new Datetime(scope.time);
        }
        int source = node.get("source").asInt();
        return scope -> scope.rows[source] == null ? null : new Datetime(scope.times[source]);
    }

    static Expression slot(String kind, int index) {
        switch (kind) {
            case "analytic":
                return scope -> scope.analytics[index];
            case "key":
                return scope -> scope.keys[index];
            case "aggregate":
                return scope -> scope.aggregates[index];
            default:
                return null;
        }
    }

    private static String[] path(JsonNode node) {
        String[] path = new String[node.get("path").size()];
        for (int place = 0; place < path.length; place++) {
            path[place] = node.get("path").get(place).asText().intern();
        }
        return path;
    }

    private static Object inside(Object value, String[] path, int from) {
        Object at = value;
        for (int place = from; place < path.length; place++) {
            if (!(at instanceof Record)) {
                return null;
            }
            at = ((Record) at).get(path[place]);
        }
        return at;
    }

    private static final class Column implements Expression {
        private final int source;
        private final String name;
        private Object lastShape;
        private int lastPlace;

        Column(int source, String name) {
            this.source = source;
            this.name = name;
        }

        @Override
        public Object value(Scope scope) {
            Record row = scope.rows[source];
            if (row == null) {
                return null;
            }
            Object shape = row.shape();
            if (shape == null || shape != lastShape) {
                lastPlace = row.find(name);
                lastShape = shape;
            }
            return lastPlace < 0 ? null : row.value(lastPlace);
        }
    }

    private static final class Path implements Expression {
        private final int[] sources;
        private final String[] path;

        Path(int[] sources, String[] path) {
            this.sources = sources;
            this.path = path;
        }

        @Override
        public Object value(Scope scope) {
            for (int source : sources) {
                Record row = scope.rows[source];
                int place = row == null ? -1 : row.find(path[0]);
                if (place >= 0) {
                    return inside(row.value(place), path, 1);
                }
            }
            return null;
        }
    }
}
