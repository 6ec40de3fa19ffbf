package fraudstream.query.functions;

import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Casts;
import fraudstream.query.values.Comparisons;
import fraudstream.query.values.Json;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.util.List;
import java.util.Map;

/** Functions on records, arrays and types. */
final class RecordFunctions {
    private RecordFunctions() {
    }

    static void addTo(Map<String, Function> table) {
        Functions.add(table, "gettype", 1, 1, arguments -> Values.type(arguments[0]));
        Functions.add(table, "getrecordpropertyvalue", 2, 2,
            arguments -> Arguments.record(arguments[0]).get(Casts.text(arguments[1])));
        Functions.add(table, "getarrayelement", 2, 2,
            arguments -> element(Arguments.array(arguments[0]), Arguments.integer(arguments[1])));
        Functions.add(table, "getarraylength", 1, 1, arguments -> (long) Arguments.array(arguments[0]).size());
        Functions.add(table, "getmetadatapropertyvalue", 2, 2,
            arguments -> metadata(Arguments.record(arguments[0]), Casts.text(arguments[1])));
        Functions.add(table, "json_parse", 1, 1, arguments -> parsed(arguments[0]));
        Functions.addTakingNulls(table, "nullif", 2, 2, arguments -> unlessEqual(arguments[0], arguments[1]));
    }

    private static Object element(List<?> array, long place) {
        return place >= 0 && place < array.size() ? array.get((int) place) : null;
    }

    /** Reads {@code EventId}, {@code IoTHub.DeviceId} or {@code [User].[a.b]}; where files carry that, from the row. */
    private static Object metadata(Record event, String path) {
        Object found = event.metadata() == null ? null : read(event.metadata(), path);
        return found == null ? read(event, path) : found;
    }

    private static Object read(Record from, String path) {
        Object at = path.isBlank() ? null : from;
        String rest = path.strip();
        while (!rest.isEmpty()) {
            int until = rest.startsWith("[") ? rest.indexOf(']') : rest.indexOf('.');
            until = until < 0 ? rest.length() : until;
            String name = rest.startsWith("[") ? rest.substring(1, until) : rest.substring(0, until);
            if (!(at instanceof Record)) {
                return null;
            }
            at = ((Record) at).get(name);
            rest = rest.substring(Math.min(rest.length(), rest.startsWith("[") ? until + 1 : until));
            rest = rest.startsWith(".") ? rest.substring(1) : rest;
        }
        return at;
    }

    private static Object parsed(Object text) {
        if (!(text instanceof String)) {
            return null;
        }
        try {
            Object value = Json.read((String) text);
            return value instanceof Record ? value : null;
        } catch (BadEvent error) {
            return null;
        }
    }

    private static Object unlessEqual(Object value, Object other) {
        return Boolean.TRUE.equals(Comparisons.areEqual(value, other)) ? null : value;
    }
}
