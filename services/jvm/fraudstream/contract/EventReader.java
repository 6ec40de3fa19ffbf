package fraudstream.contract;

import fraudstream.contract.Rules.Problem;
import fraudstream.contract.Tokens.Token;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads events in one pass over their JSON. The first field, in the contract's order, that breaks its rule names the
 * reason; JSON that readers understand differently (a doubled field, NaN, half a character) is refused as a whole, and
 * so is what a document cannot keep. {@code fraudstream.core.contract.gate} is the same in Python, reasons included.
 */
public final class EventReader {
    private final Contract contract;
    private final boolean decided;
    private final Event event;
    private final Tokens tokens;
    private final Document document;
    private final Rules rules;
    private final Problem[] problems;
    private final boolean[] seen;
    /** Whether a field is there, or is null and may be. */
    private final boolean[] given;
    /** Counts the decision's own fields, which are no part of the event. */
    private final Document aside;
    private Set<String> unknown;
    private boolean twice;

    private EventReader(Contract contract, byte[] value, boolean decided) {
        this.contract = contract;
        this.decided = decided;
        int fields = contract.fields.all.length;
        event = new Event(contract, contract.slots.length);
        problems = new Problem[fields];
        seen = new boolean[fields];
        given = new boolean[fields];
        tokens = new Tokens(value);
        document = new Document(contract, tokens);
        aside = new Document(contract, tokens);
        rules = new Rules(contract, event);
    }

    /**
     * What a record's value holds, never null: a valid event, or the reason why it is none. Whatever goes wrong with
     * one record is such a reason too. A value that is null counts as empty. Events that carry a decision already
     * ({@code decided}) may be larger and have the decision's fields.
     */
    public static Event readAny(Contract contract, byte[] value, boolean decided) {
        try {
            return read(contract, value, decided);
        } catch (RuntimeException | StackOverflowError error) {
            return Event.failed(contract, error);
        }
    }

    private static Event read(Contract contract, byte[] value, boolean decided) {
        if (value == null || value.length == 0) {
            return new Event(contract, contract.slots.length).reject("value", "empty");
        }
        int most = contract.maxEventBytes;
        if (!decided && value.length > most) {
            return new Event(contract, contract.slots.length)
                .reject("value", value.length + " bytes, more than the " + most + " an event may have");
        }
        Event plain = decided ? null : PlainReader.read(contract, value);
        return plain != null ? plain : new EventReader(contract, value, decided).read();
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
        int position = contract.fields.position(name);
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
        Field field = contract.fields.all[position];
        boolean good = kind == Token.NULL
            ? field.nullable || field.required : rules.isGood(kind, field, tokens);
        if (!document.addValue(kind, field.key)) {
            return false;
        }
        Problem found = null;
        if (!good) {
            found = new Problem(field.name, null);
        } else if (field.kind == Field.Kind.OBJECT || field.kind == Field.Kind.ARRAY) {
            found = kind == Token.NULL ? null : new Inside(rules, event, tokens.value).problem(field, begins);
        } else if (kind != Token.NULL) {
            event.present[field.slot] = true;
        }
        if (found == null) {
            given[position] |= kind != Token.NULL || field.nullable;
        } else {
            // The field itself is shown as it was written.
            problems[position] = found.explanation() != null
                ? found : new Problem(field.name, field.expected + ", got " + shown(kind, begins));
        }
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
        Problem first = Problem.first(contract.fields, problems, given);
        if (first != null) {
            return event.reject(first.field(), first.explanation());
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
