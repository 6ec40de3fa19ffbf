package fraudstream.contract;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads events in one pass over their JSON. The first field, in the contract's order, that breaks its rule names the
 * reason; JSON that readers understand differently (a doubled field, NaN, half a character) is refused as a whole, and
 * so is what a document cannot keep. {@code fraudstream.core.contract.gate} is the same in Python, reasons included.
 */
public final class EventReader {
    private final Contract contract = Contract.CURRENT;
    private final boolean decided;
    private final Event event;
    private final Tokens tokens;
    private final Document document;
    private final String[] explained;
    private final boolean[] seen;
    /** Counts the decision's own fields, which are no part of the event. */
    private final Document aside;
    private Set<String> unknown;
    private boolean twice;

    private EventReader(byte[] value, boolean decided) {
        this.decided = decided;
        event = new Event(contract.fields.length);
        explained = new String[contract.fields.length];
        seen = new boolean[contract.fields.length];
        tokens = new Tokens(value);
        document = new Document(tokens);
        aside = new Document(tokens);
    }

    /**
     * What a record's value holds, never null: a valid event, or the reason why it is none. Whatever goes wrong with
     * one record is such a reason too. A value that is null counts as empty. Events that carry a decision already
     * ({@code decided}) may be larger and have the decision's fields.
     */
    public static Event readAny(byte[] value, boolean decided) {
        try {
            return read(value, decided);
        } catch (RuntimeException | StackOverflowError error) {
            return Event.failed(error);
        }
    }

    private static Event read(byte[] value, boolean decided) {
        if (value == null || value.length == 0) {
            return new Event(Contract.CURRENT.fields.length).reject("value", "empty");
        }
        int most = Contract.CURRENT.maxEventBytes;
        if (!decided && value.length > most) {
            return new Event(Contract.CURRENT.fields.length)
                .reject("value", value.length + " bytes, more than the " + most + " an event may have");
        }
        Event plain = decided ? null : PlainReader.read(value);
        return plain != null ? plain : new EventReader(value, decided).read();
    }

    private Event read() {
        byte[] value = tokens.value;
        if (Texts.decoded(value) == null) {
            return event.reject("value", "not UTF-8 text");
        }
        if (Tokens.depth(value) > contract.mostNesting) {
            return event.reject("value", "nested more than " + contract.mostNesting + " deep");
        }
        return readObject()
            ? checked()
            : event.reject("value", "not one JSON object: " + Texts.beginning(value, 0, value.length));
    }

    private boolean readObject() {
        tokens.skipSpace();
        if (!tokens.take('{')) {
            return false;
        }
        tokens.skipSpace();
        boolean ended = tokens.take('}');
        while (!ended) {
            if (!readField()) {
                return false;
            }
            tokens.skipSpace();
            ended = tokens.take('}');
            if (!ended && !tokens.take(',')) {
                return false;
            }
            tokens.skipSpace();
        }
        tokens.skipSpace();
        return tokens.at == tokens.value.length;
    }

    private boolean readField() {
        if (!tokens.takeText()) {
            return false;
        }
        String name = tokens.text();
        int position = contract.position(name);
        boolean own = decided && position < 0 && contract.reserved.contains(name);
        if (!own) {
            document.addField(name);
        }
        tokens.skipSpace();
        if (!tokens.take(':')) {
            return false;
        }
        tokens.skipSpace();
        int begins = tokens.at;
        Token kind = tokens.next();
        if (position >= 0) {
            return readKnown(kind, position, begins);
        }
        if (unknown == null) {
            unknown = new HashSet<>();
        }
        twice |= !unknown.add(name);
        return own ? readOwn(kind, name) : document.addValue(kind, name);
    }

    private boolean readKnown(Token kind, int position, int begins) {
        twice |= seen[position];
        seen[position] = true;
        Contract.Field field = contract.fields[position];
        String problem = kind == Token.NULL ? null : problem(kind, field, position);
        boolean broken = !document.addValue(kind, field.name);
        if (problem != null) {
            explained[position] = problem + ", got " + shown(kind, begins);
        } else if (kind != Token.NULL) {
            event.present[position] = true;
        }
        return !broken;
    }

    /** Null for a value that keeps the field's rule. */
    private String problem(Token kind, Contract.Field field, int position) {
        boolean good = false;
        if (field.kind == Contract.Kind.INTEGER) {
            good = kind == Token.INTEGER && readInteger(field, position);
        } else if (field.kind == Contract.Kind.NUMBER) {
            if (kind == Token.INTEGER || kind == Token.FRACTION) {
                Digits digits = new Digits(tokens.value, tokens.from, tokens.until);
                double number = digits.asDouble();
                event.numbers[position] = number;
                good = number >= field.minimum && number <= field.maximum;
                // An integer of more than 64 bits would be no number of this field in its document.
                boolean isKept = digits.isKeptByDouble()
                    && (kind == Token.FRACTION || digits.isLong() || number == 0.0);
                if (good && !isKept) {
                    return contract.roundedDigits;
                }
            }
        } else if (kind == Token.TEXT) {
            good = readText(tokens.text(), field, position);
        }
        return good ? null : field.expected;
    }

    private boolean readInteger(Contract.Field field, int position) {
        Digits digits = new Digits(tokens.value, tokens.from, tokens.until);
        long number = digits.asLong();
        event.integers[position] = number;
        return digits.isLong() && number >= field.minimum && number <= field.maximum;
    }

    private boolean readText(String value, Contract.Field field, int position) {
        event.texts[position] = UTF8String.fromString(value);
        if (field.kind == Contract.Kind.DATE) {
            byte[] latin = value.getBytes(StandardCharsets.ISO_8859_1);
            long seconds = Times.parse(latin, 0, latin.length);
            event.eventSeconds = seconds;
            return seconds != Times.NO_TIME;
        }
        Integer code = field.choices.get(value);
        if (code == null) {
            return false;
        }
        event.codes[position] = code;
        return true;
    }

    /** The value that began there and was taken whole, as it was written. */
    private String shown(Token kind, int begins) {
        if (kind != Token.TEXT) {
            return Texts.beginning(tokens.value, begins, tokens.at);
        }
        return "the text \"" + Texts.beginning(tokens.text()) + "\"";
    }

    /** Reads a field of the decision; keeps the prediction, and when the broker took the event. */
    private boolean readOwn(Token kind, String name) {
        if (kind == Token.OBJECT || kind == Token.LIST) {
            return "source".equals(name) && kind == Token.OBJECT ? readSource() : aside.addValue(kind, name);
        }
        if ("prediction".equals(name) && kind == Token.INTEGER && tokens.until - tokens.from == 1) {
            int prediction = tokens.value[tokens.from] - '0';
            event.prediction = prediction <= 1 ? prediction : -1;
        }
        return kind != Token.BROKEN;
    }

    private boolean readSource() {
        tokens.skipSpace();
        boolean ended = tokens.take('}');
        while (!ended) {
            if (!tokens.takeText()) {
                return false;
            }
            String name = tokens.text();
            tokens.skipSpace();
            if (!tokens.take(':')) {
                return false;
            }
            tokens.skipSpace();
            Token kind = tokens.next();
            if (kind == Token.TEXT && "enqueued_at".equals(name)) {
                event.enqueuedAt = tokens.text();
            }
            if (!aside.addValue(kind, name)) {
                return false;
            }
            tokens.skipSpace();
            ended = tokens.take('}');
            if (!ended && !tokens.take(',')) {
                return false;
            }
            tokens.skipSpace();
        }
        return true;
    }

    private Event checked() {
        for (int position = 0; position < contract.fields.length; position++) {
            Contract.Field field = contract.fields[position];
            if (explained[position] != null) {
                return event.reject(field.name, explained[position]);
            }
            if (field.required && !event.present[position]) {
                return event.reject(field.name, "missing, " + field.expected);
            }
        }
        if (document.notFinite) {
            return event.reject("value", "an unknown field holds what JSON does not have, such as NaN");
        }
        if (tokens.halfCharacter) {
            return event.reject("value", "a text holds half a character, a surrogate without its other half");
        }
        if (twice || document.twice) {
            return event.reject("value", "a field stands twice");
        }
        if (unknown != null && !decided) {
            TreeSet<String> taken = new TreeSet<>(unknown);
            taken.retainAll(contract.reserved);
            if (!taken.isEmpty()) {
                return event.reject(taken.first(), "a name reserved for the decision");
            }
        }
        if (document.problem != null) {
            return event.reject(document.field, document.problem);
        }
        String excess = document.excess();
        return excess == null ? event : event.reject("value", excess);
    }
}
