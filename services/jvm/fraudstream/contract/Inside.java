package fraudstream.contract;

import fraudstream.contract.Rules.Problem;
import fraudstream.contract.Tokens.Token;

/** What is wrong inside the objects and lists of known fields, whose JSON is known to be good and not too deep. */
final class Inside {
    private final Rules rules;
    private final Event event;
    private final Tokens tokens;

    Inside(Rules rules, Event event, byte[] value) {
        this.rules = rules;
        this.event = event;
        tokens = new Tokens(value);
    }

    /** The first problem of the value that begins there and keeps the rule of its field's kind; null for none. */
    Problem problem(Field field, int begins) {
        tokens.at = begins;
        Token kind = tokens.next();
        return kind == Token.OBJECT ? problemOfFields(field.fields) : problemOfItems(field, null);
    }

    private Problem problemOfFields(Fields fields) {
        Problem[] problems = new Problem[fields.all.length];
        boolean[] given = new boolean[fields.all.length];
        boolean ended = isEnd('}');
        while (!ended) {
            tokens.takeText();
            int position = fields.position(tokens.text());
            tokens.skipSpace();
            tokens.take(':');
            tokens.skipSpace();
            Token kind = tokens.next();
            if (position < 0) {
                skip(kind);
            } else {
                Field field = fields.all[position];
                Problem found = problemOf(field, kind);
                if (found != null) {
                    problems[position] = found;
                } else {
                    given[position] |= kind != Token.NULL || field.nullable;
                }
            }
            ended = isEnd('}');
        }
        return Problem.first(fields, problems, given);
    }

    /** The problem of a value of which a token was taken; it is taken whole. */
    private Problem problemOf(Field field, Token kind) {
        if (kind == Token.NULL) {
            boolean isMissing = field.required && !field.nullable;
            return field.nullable || isMissing ? null : broken(field, "null");
        }
        if (!rules.isGood(kind, field, tokens)) {
            String shown = shown(kind);
            skip(kind);
            return broken(field, shown);
        }
        if (field.slot >= 0) {
            event.present[field.slot] = true;
        }
        return switch (field.kind) {
            case OBJECT -> problemOfFields(field.fields);
            case ARRAY -> problemOfItems(field, "a list");
            default -> null;
        };
    }

    private static Problem broken(Field field, String shown) {
        return new Problem(field.name, field.expected + ", got " + shown);
    }

    /** The problem of a list that has begun: of its length, else of its first bad item. */
    private Problem problemOfItems(Field field, String shown) {
        int count = 0;
        Problem first = null;
        boolean ended = isEnd(']');
        while (!ended) {
            Token kind = tokens.next();
            Problem found = null;
            if (field.items == null) {
                skip(kind);
            } else {
                found = problemOf(field.items, kind);
            }
            first = first == null ? found : first;
            count++;
            ended = isEnd(']');
        }
        if (!field.isLong(count)) {
            return shown == null ? new Problem(field.name, null) : broken(field, shown);
        }
        return first;
    }

    private String shown(Token kind) {
        return switch (kind) {
            case TEXT -> "the text \"" + Texts.beginning(tokens.text()) + "\"";
            case TRUTH -> tokens.value[tokens.from] == 't' ? "true" : "false";
            case OBJECT -> "an object";
            case LIST -> "a list";
            default -> "a number";
        };
    }

    /** Past the comma before the next field or item, or past the end. */
    private boolean isEnd(char end) {
        tokens.skipSpace();
        if (tokens.take(end)) {
            return true;
        }
        tokens.take(',');
        tokens.skipSpace();
        return false;
    }

    /** Past what is left of a value that has begun. */
    private void skip(Token kind) {
        if (kind != Token.OBJECT && kind != Token.LIST) {
            return;
        }
        for (int depth = 1; depth > 0;) {
            byte character = tokens.value[tokens.at];
            if (character == '"') {
                tokens.takeText();
                continue;
            }
            tokens.at++;
            if (character == '{' || character == '[') {
                depth++;
            } else if (character == '}' || character == ']') {
                depth--;
            }
        }
    }
}
