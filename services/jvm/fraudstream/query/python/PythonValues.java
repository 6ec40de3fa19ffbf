package fraudstream.query.python;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Values as the process with Python's functions gets and gives them: JSON, with objects for what JSON lacks. */
final class PythonValues {
    static final ObjectMapper MAPPER = new ObjectMapper();
    /** The one field of an object that is a datetime or a float without digits; python_worker.py has the same. */
    private static final String DATETIME = "\0datetime";
    private static final String FLOAT = "\0float";
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private PythonValues() {
    }

    static ArrayNode toPython(Object[] values) {
        ArrayNode array = NODES.arrayNode();
        for (Object value : values) {
            array.add(toPython(value));
        }
        return array;
    }

    private static JsonNode toPython(Object value) {
        if (value == null) {
            return NODES.nullNode();
        }
        if (value instanceof Long) {
            return NODES.numberNode((Long) value);
        }
        if (value instanceof Double) {
            double number = (Double) value;
            return Double.isFinite(number) ? NODES.numberNode(number)
                : NODES.objectNode().put(FLOAT, Double.toString(number));
        }
        if (value instanceof Boolean) {
            return NODES.booleanNode((Boolean) value);
        }
        if (value instanceof Datetime) {
            return NODES.objectNode().put(DATETIME, ((Datetime) value).ticks);
        }
        if (value instanceof List) {
            return toPython(((List<?>) value).toArray());
        }
        if (value instanceof Record) {
            Record record = (Record) value;
            ObjectNode object = NODES.objectNode();
            for (int place = 0; place < record.size(); place++) {
                object.set(record.name(place), toPython(record.value(place)));
            }
            return object;
        }
        return NODES.textNode((String) value);
    }

    static Object fromPython(JsonNode value) {
        switch (value.getNodeType()) {
            case NULL:
                return null;
            case BOOLEAN:
                return value.booleanValue();
            case NUMBER:
                return value.isIntegralNumber() ? (Object) value.longValue() : (Object) value.doubleValue();
            case STRING:
                return value.textValue();
            case ARRAY:
                List<Object> items = new ArrayList<>(value.size());
                value.forEach(item -> items.add(fromPython(item)));
                return items;
            default:
                return object(value);
        }
    }

    private static Object object(JsonNode value) {
        if (value.has(DATETIME)) {
            long ticks = value.get(DATETIME).longValue();
            if (ticks < Datetime.FIRST || ticks > Datetime.LAST) {
                throw new QueryStopped("It returns a moment that is no datetime.");
            }
            return new Datetime(ticks);
        }
        if (value.has(FLOAT)) {
            return Double.valueOf(value.get(FLOAT).textValue());
        }
        Record record = new Record(value.size());
        for (Map.Entry<String, JsonNode> field : value.properties()) {
            record.put(field.getKey().intern(), fromPython(field.getValue()));
        }
        return record;
    }
}
