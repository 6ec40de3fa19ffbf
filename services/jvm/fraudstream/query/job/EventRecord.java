package fraudstream.query.job;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An event that keeps the contract, as the query sees it, and where each of its fields stands in its own text. Numbers
 * that no bigint holds are the nearest floats. Of names that differ in case alone, a known field's counts.
 */
public final class EventRecord {
    private static final JsonFactory JSON = JsonFactory.builder()
        .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
        .streamReadConstraints(StreamReadConstraints.builder().maxNumberLength(Integer.MAX_VALUE).build())
        .build();
    private static final int CAPACITY = 32;

    /** The event's text. */
    final byte[] text;
    /** The event for the query. */
    public final Record record = new Record(CAPACITY);
    private String[] names = new String[CAPACITY];
    private Object[] values = new Object[CAPACITY];
    /** Of each field's value in the text: its first byte, and the one behind it. */
    private int[] begins = new int[CAPACITY];
    private int[] ends = new int[CAPACITY];
    private int size;
    private int lookedAt;

    /** Throws {@link IllegalStateException} for a text that is no JSON object. */
    public EventRecord(byte[] text) {
        this.text = text;
        try (JsonParser parser = JSON.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalStateException("The event is no JSON object.");
            }
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                add(parser, name);
            }
        } catch (IOException error) {
            throw new IllegalStateException("The event cannot be read: " + error.getMessage(), error);
        }
    }

    private void add(JsonParser parser, String name) throws IOException {
        if (size == names.length) {
            names = Arrays.copyOf(names, 2 * size);
            values = Arrays.copyOf(values, 2 * size);
            begins = Arrays.copyOf(begins, 2 * size);
            ends = Arrays.copyOf(ends, 2 * size);
        }
        JsonToken token = parser.nextToken();
        names[size] = name;
        begins[size] = (int) parser.currentTokenLocation().getByteOffset();
        values[size] = value(parser, token, name);
        parser.finishToken();
        ends[size] = (int) parser.currentLocation().getByteOffset();
        if (!Fields.CURRENT.isShadowed(name)) {
            put(record, name, name, values[size]);
        }
        size++;
    }

    private void put(Record to, String path, String name, Object value) {
        if (to.find(name) < 0 || Fields.CURRENT.isKnown(path)) {
            to.put(name, value);
        }
    }

    private Object value(JsonParser parser, JsonToken token, String path) throws IOException {
        switch (token) {
            case VALUE_STRING:
                return parser.getText();
            case VALUE_NUMBER_INT:
                return parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    ? (Object) parser.getDoubleValue() : (Object) parser.getLongValue();
            case VALUE_NUMBER_FLOAT:
                return parser.getDoubleValue();
            case VALUE_TRUE:
                return Boolean.TRUE;
            case VALUE_FALSE:
                return Boolean.FALSE;
            case START_OBJECT:
                return object(parser, path);
            case START_ARRAY:
                return array(parser);
            default:
                return null;
        }
    }

    /** {@code path}: the names above and the object's own, with dots; null within a list. */
    private Record object(JsonParser parser, String path) throws IOException {
        Record object = new Record();
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            String below = path != null && Fields.CURRENT.isKnown(path) ? path + '.' + name : null;
            put(object, below, name, value(parser, parser.nextToken(), below));
        }
        return object;
    }

    private List<Object> array(JsonParser parser) throws IOException {
        List<Object> items = new ArrayList<>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            items.add(value(parser, token, null));
        }
        return items;
    }

    int size() {
        return size;
    }

    String name(int field) {
        return names[field];
    }

    Object value(int field) {
        return values[field];
    }

    int begin(int field) {
        return begins[field];
    }

    int end(int field) {
        return ends[field];
    }

    /** Whether the contract has a field of this name. */
    boolean isKnown(int field) {
        return Fields.CURRENT.isOuter(names[field]);
    }

    /** Whether the event has a field of exactly this name, or the contract has none. */
    boolean isGivenOrUnknown(String name) {
        return !Fields.CURRENT.isOuter(name) || find(name) >= 0;
    }

    /** The number of the field with exactly this name, or -1. */
    int find(String name) {
        // Columns mostly come in the order of the event's fields.
        for (int count = 0; count < size; count++) {
            int field = (lookedAt + count) % size;
            if (names[field].equals(name)) {
                lookedAt = field + 1;
                return field;
            }
        }
        return -1;
    }
}
