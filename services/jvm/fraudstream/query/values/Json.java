package fraudstream.query.values;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Values as JSON texts in UTF-8. */
public final class Json {
    private static final JsonFactory FACTORY = factory(true);
    /** Without a table of the names that were seen: that is faster only where events have ever new names. */
    private static final JsonFactory FACTORY_WITHOUT_TABLE = factory(false);
    private static final char[] HEX = "0123456789abcdef".toCharArray();
    private static final char REPLACEMENT = '\ufffd';

    private Json() {
    }

    private static JsonFactory factory(boolean hasTable) {
        return JsonFactory.builder()
            .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .configure(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES, hasTable)
            .build();
    }

    /** The value of one JSON text. Refuses integers of more than 64 bits, too large floats, and what is no JSON. */
    public static Object read(byte[] text) throws BadEvent {
        return read(text, 0, text.length);
    }

    public static Object read(byte[] text, int from, int length) throws BadEvent {
        if (Names.areEverNew()) {
            try (JsonParser parser = FACTORY_WITHOUT_TABLE.createParser(decoded(text, from, length))) {
                return whole(parser);
            } catch (IOException | BadEvent error) {
                // What is wrong with it, or in which encoding it is, the parser of bytes says, as it does for all others.
            }
        }
        try (JsonParser parser = FACTORY.createParser(text, from, length)) {
            return whole(parser);
        } catch (IOException error) {
            throw refused(error);
        }
    }

    public static Object read(String text) throws BadEvent {
        try (JsonParser parser = (Names.areEverNew() ? FACTORY_WITHOUT_TABLE : FACTORY).createParser(text)) {
            return whole(parser);
        } catch (IOException error) {
            throw refused(error);
        }
    }

    /** Without its table, Jackson's own decoder would put U+FFFD in the place of bytes that are no UTF-8. */
    private static String decoded(byte[] text, int from, int length) throws CharacterCodingException {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text, from, length)).toString();
    }

    private static BadEvent refused(IOException error) {
        String reason = error instanceof JsonProcessingException
            ? ((JsonProcessingException) error).getOriginalMessage() : error.getMessage();
        // Behind the reason, the parser names switches of its own.
        int advice = reason.indexOf(": enable `");
        return new BadEvent("It is no JSON: " + (advice < 0 ? reason : reason.substring(0, advice)) + ".");
    }

    /** The record of one JSON object. Refuses anything else. */
    public static Record readRecord(byte[] text) throws BadEvent {
        return record(read(text, 0, text.length));
    }

    public static Record readRecord(byte[] text, int from, int length) throws BadEvent {
        return record(read(text, from, length));
    }

    private static Record record(Object value) throws BadEvent {
        if (value instanceof Record) {
            return (Record) value;
        }
        throw new BadEvent("It is no JSON object, but of type " + (value == null ? "null" : Values.type(value)) + ".");
    }

    private static Object whole(JsonParser parser) throws IOException, BadEvent {
        JsonToken first = parser.nextToken();
        if (first == null) {
            throw new BadEvent("It is empty.");
        }
        Object value = value(parser, first);
        if (parser.nextToken() != null) {
            throw new BadEvent("Something stands behind the JSON value.");
        }
        return value;
    }

    private static Object value(JsonParser parser, JsonToken token) throws IOException, BadEvent {
        switch (token) {
            case VALUE_STRING:
                return parser.getText();
            case VALUE_NUMBER_INT:
                return integer(parser);
            case VALUE_NUMBER_FLOAT:
                return number(parser);
            case VALUE_TRUE:
                return Boolean.TRUE;
            case VALUE_FALSE:
                return Boolean.FALSE;
            case START_OBJECT:
                return object(parser);
            case START_ARRAY:
                return array(parser);
            default:
                return null;
        }
    }

    private static Record object(JsonParser parser) throws IOException, BadEvent {
        Record record = new Record();
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            record.put(name, value(parser, parser.nextToken()));
        }
        return record;
    }

    private static List<Object> array(JsonParser parser) throws IOException, BadEvent {
        List<Object> items = new ArrayList<>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            items.add(value(parser, token));
        }
        return items;
    }

    private static Object integer(JsonParser parser) throws IOException, BadEvent {
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            throw new BadEvent("The integer " + Values.beginning(parser.getText()) + " does not fit into a bigint.");
        }
        return parser.getLongValue();
    }

    private static Object number(JsonParser parser) throws IOException, BadEvent {
        double number = parser.getDoubleValue();
        if (Double.isInfinite(number)) {
            throw new BadEvent("The number " + Values.beginning(parser.getText()) + " does not fit into a float.");
        }
        return number;
    }

    public static String text(Object value) {
        StringBuilder to = new StringBuilder();
        write(to, value);
        return to.toString();
    }

    /** Floats always have a fraction, datetimes seven decimals and a Z; NaN and infinities are null. */
    public static void write(StringBuilder to, Object value) {
        if (value instanceof String) {
            writeText(to, (String) value);
        } else if (value instanceof Double) {
            writeFloat(to, (Double) value);
        } else if (value instanceof Datetime) {
            Moments.write(to.append('"'), ((Datetime) value).ticks);
            to.append('"');
        } else if (value instanceof Record) {
            writeRecord(to, (Record) value);
        } else if (value instanceof List) {
            writeArray(to, (List<?>) value);
        } else {
            to.append(value);
        }
    }

    private static void writeFloat(StringBuilder to, double number) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            to.append("null");
        } else {
            Floats.write(to, number);
        }
    }

    private static void writeRecord(StringBuilder to, Record record) {
        // Records that stand in one another several times have more fields than anybody can wait for.
        Values.checkLength(to.length());
        to.append('{');
        for (int place = 0; place < record.size(); place++) {
            if (place > 0) {
                to.append(',');
            }
            writeText(to, record.name(place));
            write(to.append(':'), record.value(place));
        }
        to.append('}');
    }

    private static void writeArray(StringBuilder to, List<?> items) {
        Values.checkLength(to.length());
        to.append('[');
        for (int place = 0; place < items.size(); place++) {
            if (place > 0) {
                to.append(',');
            }
            write(to, items.get(place));
        }
        to.append(']');
    }

    private static void writeText(StringBuilder to, String text) {
        to.append('"');
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            if (unit >= ' ' && unit != '"' && unit != '\\' && !Character.isSurrogate(unit)) {
                to.append(unit);
            } else if (Character.isHighSurrogate(unit) && at + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(at + 1))) {
                to.append(unit).append(text.charAt(++at));
            } else if (unit >= ' ' && unit != '"' && unit != '\\') {
                // Half a character has no place in UTF-8.
                to.append(REPLACEMENT);
            } else {
                writeEscaped(to, unit);
            }
        }
        to.append('"');
    }

    private static void writeEscaped(StringBuilder to, char unit) {
        to.append('\\');
        int known = "\"\\\n\r\t\b\f".indexOf(unit);
        if (known >= 0) {
            to.append("\"\\nrtbf".charAt(known));
        } else {
            to.append("u00").append(HEX[unit >> 4]).append(HEX[unit & 15]);
        }
    }
}
