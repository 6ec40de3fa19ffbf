package fraudstream;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads events in one pass over their JSON. The first field, in the contract's order, that breaks its rule names the
 * reason; JSON that readers understand differently (a doubled field, NaN, half a character) is refused as a whole.
 */
final class EventReader {
    private static final int SHOWN_LENGTH = 60;
    // Non-finite numbers are let in, to be refused by name.
    private static final JsonFactory JSON = (JsonFactory) JsonFactory.builder()
        .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
        .build();

    private final Contract contract = Contract.CURRENT;
    private final boolean decided;
    private final Event event;
    private final String[] shown;
    private final boolean[] seen;
    private Set unknown;
    private boolean twice;
    private boolean notJson;
    private boolean halfCharacter;
    private boolean escapes;

    private EventReader(boolean decided) {
        this.decided = decided;
        event = new Event(contract.fields.length);
        shown = new String[contract.fields.length];
        seen = new boolean[contract.fields.length];
    }

    /** Events that carry a decision already ({@code decided}) may be larger and have the decision's fields. */
    static Event read(byte[] value, boolean decided) {
        Event plain = decided || value == null || value.length > Contract.CURRENT.maxEventBytes
            ? null
            : PlainReader.read(value);
        return plain != null ? plain : new EventReader(decided).read(value);
    }

    private Event read(byte[] value) {
        if (value == null || value.length == 0) {
            return event.reject("value", "empty");
        }
        if (!decided && value.length > contract.maxEventBytes) {
            return event.reject(
                "value", value.length + " bytes, more than the " + contract.maxEventBytes + " an event may have");
        }
        String text = decode(value);
        if (text == null) {
            return event.reject("value", "not UTF-8 text");
        }
        escapes = text.indexOf("\\ud") >= 0 || text.indexOf("\\uD") >= 0;
        try {
            if (!readObject(text)) {
                return notOneObject(text);
            }
        } catch (IOException error) {
            return notOneObject(text);
        }
        return checked();
    }

    private Event notOneObject(String text) {
        return event.reject("value", "not one JSON object: " + beginning(text));
    }

    private static String decode(byte[] value) {
        String text = new String(value, StandardCharsets.UTF_8);
        if (text.indexOf('\uFFFD') < 0) {
            return text;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
        } catch (CharacterCodingException error) {
            return null;
        }
    }

    private boolean readObject(String text) throws IOException {
        JsonParser parser = JSON.createParser(text);
        try {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                JsonToken token = parser.nextToken();
                int position = contract.position(name);
                if (position >= 0) {
                    readKnown(parser, token, position, text);
                } else {
                    readUnknown(parser, token, name);
                }
            }
            return parser.nextToken() == null;
        } finally {
            parser.close();
        }
    }

    private void readKnown(JsonParser parser, JsonToken token, int position, String text) throws IOException {
        twice |= seen[position];
        seen[position] = true;
        if (token == JsonToken.VALUE_NULL) {
            return;
        }
        Contract.Field field = contract.fields[position];
        boolean good = false;
        if (field.kind == Contract.INTEGER) {
            good = token == JsonToken.VALUE_NUMBER_INT && readInteger(parser, field, position);
        } else if (field.kind == Contract.NUMBER) {
            good = (token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_NUMBER_FLOAT)
                && readNumber(parser, field, position);
        } else if (token == JsonToken.VALUE_STRING) {
            good = readText(parser.getText(), field, position);
        }
        if (good) {
            event.present[position] = true;
        } else {
            shown[position] = shownValue(parser, token, text);
        }
    }

    private boolean readInteger(JsonParser parser, Contract.Field field, int position) throws IOException {
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            return false;
        }
        long number = parser.getLongValue();
        event.integers[position] = number;
        return number >= field.minimum && number <= field.maximum;
    }

    private boolean readNumber(JsonParser parser, Contract.Field field, int position) throws IOException {
        double number = parser.getDoubleValue();
        event.numbers[position] = number;
        return number >= field.minimum && number <= field.maximum && !Double.isInfinite(number);
    }

    private boolean readText(String value, Contract.Field field, int position) {
        event.texts[position] = UTF8String.fromString(value);
        if (field.kind == Contract.DATE) {
            byte[] latin = value.getBytes(StandardCharsets.ISO_8859_1);
            long seconds = Times.parse(latin, 0, latin.length);
            event.eventSeconds = seconds;
            return seconds != Times.NO_TIME;
        }
        Integer code = (Integer) field.choices.get(value);
        if (code == null) {
            return false;
        }
        event.codes[position] = code.intValue();
        return true;
    }

    private String shownValue(JsonParser parser, JsonToken token, String text) throws IOException {
        if (token == JsonToken.VALUE_STRING) {
            return "the text \"" + beginning(parser.getText()) + "\"";
        }
        if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
            int from = (int) parser.currentTokenLocation().getCharOffset();
            skip(parser);
            int until = (int) parser.currentLocation().getCharOffset();
            return beginning(text.substring(from, Math.min(until, text.length())));
        }
        return beginning(parser.getText());
    }

    private void readUnknown(JsonParser parser, JsonToken token, String name) throws IOException {
        if (unknown == null) {
            unknown = new HashSet();
        }
        twice |= !unknown.add(name);
        check(parser, token);
        if (escapes) {
            halfCharacter |= hasHalfCharacter(name);
        }
        if (decided && "prediction".equals(name) && token == JsonToken.VALUE_NUMBER_INT) {
            event.prediction = parser.getIntValue();
        } else if (decided && "source".equals(name) && token == JsonToken.START_OBJECT) {
            readSource(parser);
        } else if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
            skip(parser);
        }
    }

    private void readSource(JsonParser parser) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            JsonToken token = parser.nextToken();
            if ("enqueued_at".equals(name) && token == JsonToken.VALUE_STRING) {
                event.enqueuedAt = parser.getText();
            } else if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
                skip(parser);
            }
        }
    }

    /** To the end of the object or array that has just begun. */
    private void skip(JsonParser parser) throws IOException {
        for (int depth = 1; depth > 0;) {
            JsonToken token = parser.nextToken();
            if (token == null) {
                return;
            }
            if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
                depth++;
            } else if (token == JsonToken.END_OBJECT || token == JsonToken.END_ARRAY) {
                depth--;
            } else {
                check(parser, token);
            }
        }
    }

    private void check(JsonParser parser, JsonToken token) throws IOException {
        if (token == JsonToken.VALUE_NUMBER_FLOAT) {
            char[] characters = parser.getTextCharacters();
            char last = characters[parser.getTextOffset() + parser.getTextLength() - 1];
            notJson |= last > '9' || last == '+';
        } else if (escapes && (token == JsonToken.VALUE_STRING || token == JsonToken.FIELD_NAME)) {
            halfCharacter |= hasHalfCharacter(parser.getText());
        }
    }

    private static boolean hasHalfCharacter(String text) {
        for (int at = 0; at < text.length(); at++) {
            char found = text.charAt(at);
            if (Character.isHighSurrogate(found)) {
                if (at + 1 == text.length() || !Character.isLowSurrogate(text.charAt(at + 1))) {
                    return true;
                }
                at++;
            } else if (Character.isLowSurrogate(found)) {
                return true;
            }
        }
        return false;
    }

    private Event checked() {
        for (int position = 0; position < contract.fields.length; position++) {
            Contract.Field field = contract.fields[position];
            if (shown[position] != null) {
                return event.reject(field.name, "expected " + field.expectation + ", got " + shown[position]);
            }
            if (field.required && !event.present[position]) {
                return event.reject(field.name, "missing, expected " + field.expectation);
            }
        }
        if (decided) {
            return event;
        }
        if (notJson) {
            return event.reject("value", "an unknown field holds what JSON does not have, such as NaN");
        }
        if (halfCharacter) {
            return event.reject("value", "a text holds half a character, a surrogate without its other half");
        }
        if (twice) {
            return event.reject("value", "a field stands twice");
        }
        if (unknown != null) {
            Set taken = new TreeSet(unknown);
            taken.retainAll(contract.reserved);
            if (!taken.isEmpty()) {
                return event.reject((String) taken.iterator().next(), "a name reserved for the decision");
            }
        }
        return event;
    }

    private static String beginning(String text) {
        return text.length() <= SHOWN_LENGTH ? text : text.substring(0, text.offsetByCodePoints(0, SHOWN_LENGTH));
    }
}
