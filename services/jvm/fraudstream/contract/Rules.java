package fraudstream.contract;

import fraudstream.contract.Tokens.Token;
import java.nio.charset.StandardCharsets;
import org.apache.spark.unsafe.types.UTF8String;

/** Holds the values of known fields against their rules, and keeps the good ones in the event. */
final class Rules {
    /** Which field breaks its rule, and how. */
    record Problem(String field, String explanation) {
        /** The first, in the contract's order, of the problems that an object's fields have; null for none. */
        static Problem first(Fields fields, Problem[] problems, boolean[] given) {
            for (int position = 0; position < problems.length; position++) {
                if (problems[position] != null) {
                    return problems[position];
                }
                Field field = fields.all[position];
                if (field.required && !given[position]) {
                    return new Problem(field.name, "missing, " + field.expected);
                }
            }
            return null;
        }
    }

    private final Contract contract;
    private final Event event;

    Rules(Contract contract, Event event) {
        this.contract = contract;
        this.event = event;
    }

    /** Whether a value, the token that was taken last, keeps its field's rule; of null that is the caller's matter. */
    boolean isGood(Token kind, Field field, Tokens tokens) {
        return switch (field.kind) {
            case INT -> kind == Token.INTEGER && isGoodInteger(field, tokens);
            case FLOAT -> isNumber(kind) && isGoodNumber(field, tokens);
            case BOOL -> kind == Token.TRUTH && isGoodTruth(field, tokens);
            case TEXT -> kind == Token.TEXT && isGoodText(field, tokens.text());
            case TIME -> isGoodTime(kind, field, tokens);
            case OBJECT -> kind == Token.OBJECT;
            case ARRAY -> kind == Token.LIST;
        };
    }

    private static boolean isNumber(Token kind) {
        return kind == Token.INTEGER || kind == Token.FRACTION;
    }

    private Digits digits(Tokens tokens) {
        return new Digits(contract, tokens.value, tokens.from, tokens.until);
    }

    private void keep(Field field, long number) {
        if (field.slot >= 0) {
            event.numbers[field.slot] = number;
        }
    }

    private boolean isGoodInteger(Field field, Tokens tokens) {
        Digits digits = digits(tokens);
        keep(field, digits.asLong());
        return digits.isLong() && field.takes(digits.asLong());
    }

    private boolean isGoodNumber(Field field, Tokens tokens) {
        double number = digits(tokens).asDouble();
        keep(field, Double.doubleToRawLongBits(number));
        return field.takes(number);
    }

    private boolean isGoodTruth(Field field, Tokens tokens) {
        boolean truth = tokens.value[tokens.from] == 't';
        keep(field, truth ? 1 : 0);
        return field.takes(truth);
    }

    private boolean isGoodText(Field field, String text) {
        keep(field, field.code(text));
        keep(field, text);
        return field.takes(text);
    }

    private void keep(Field field, String text) {
        if (field.slot >= 0 && field.used) {
            event.texts[field.slot] = UTF8String.fromString(text);
        }
    }

    private boolean isGoodTime(Token kind, Field field, Tokens tokens) {
        long micros = Times.NO_TIME;
        if (field.time.isNumber) {
            micros = isNumber(kind) ? field.time.of(digits(tokens)) : Times.NO_TIME;
        } else if (kind == Token.TEXT) {
            String text = tokens.text();
            keep(field, text);
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            micros = field.time.plain(bytes, 0, bytes.length);
            micros = micros == Times.NO_TIME ? field.time.of(text) : micros;
        }
        event.micros = micros;
        return micros != Times.NO_TIME;
    }
}
