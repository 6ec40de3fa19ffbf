package fraudstream.contract;

import java.util.Arrays;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads the usual event several times as fast as {@link EventReader}: ASCII without escapes, no field twice, no objects
 * or arrays in unknown fields, numbers of few digits, every rule kept. It gives up on any other value, also on valid
 * ones, and never refuses an event: {@link EventReader} gives the reasons.
 */
final class PlainReader {
    // So many digits and so small a power of ten are exact as doubles; their quotient is then correctly rounded.
    private static final int EXACT_DIGITS = 15;
    private static final int INTEGER_DIGITS = 18;
    private static final int MOST_UNKNOWN = 8;
    private static final double[] POWERS = powers();
    private static final byte[][] LITERALS = {Contract.ascii("true"), Contract.ascii("false"), Contract.ascii("null")};

    private final Contract contract = Contract.CURRENT;
    private final Event event = new Event(contract.fields.length);
    private final byte[] value;
    private int at;
    // Where the text that was taken last begins and ends.
    private int from;
    private int until;
    private long digits;
    private int digitCount;
    private final int[] unknown = new int[2 * MOST_UNKNOWN];
    private int unknownCount;

    private PlainReader(byte[] value) {
        this.value = value;
    }

    /** The valid event that a value of more than no bytes holds, or null where this reader gives up. */
    static Event read(byte[] value) {
        PlainReader reader = new PlainReader(value);
        return reader.readObject() && reader.isComplete() ? reader.event : null;
    }

    private boolean readObject() {
        skipSpace();
        if (!take('{')) {
            return false;
        }
        int expected = 0;
        do {
            skipSpace();
            if (!takeText()) {
                return false;
            }
            skipSpace();
            if (!take(':')) {
                return false;
            }
            int position = position(expected);
            boolean good = position < 0 ? isNewName() : !event.present[position];
            skipSpace();
            if (!good || !(position < 0 ? takeScalar() : readKnown(position))) {
                return false;
            }
            if (position >= 0) {
                event.present[position] = true;
                expected = position + 1;
            }
            skipSpace();
        } while (take(','));
        boolean ended = take('}');
        skipSpace();
        return ended && at == value.length;
    }

    private boolean isComplete() {
        for (int position = 0; position < contract.fields.length; position++) {
            if (contract.fields[position].required && !event.present[position]) {
                return false;
            }
        }
        return true;
    }

    /** The place of the field whose name was taken last, tried first where senders put it; -1 for an unknown one. */
    private int position(int expected) {
        if (expected < contract.fields.length && isTaken(contract.fields[expected].nameBytes)) {
            return expected;
        }
        for (int position = 0; position < contract.fields.length; position++) {
            if (isTaken(contract.fields[position].nameBytes)) {
                return position;
            }
        }
        return -1;
    }

    private boolean isTaken(byte[] text) {
        return until - from == text.length && standsAt(from, text);
    }

    /** Names and choices are short: for them this is faster than the comparison of ranges that Java has. */
    private boolean standsAt(int start, byte[] text) {
        for (int place = 0; place < text.length; place++) {
            if (value[start + place] != text[place]) {
                return false;
            }
        }
        return true;
    }

    /** Whether the unknown name that was taken last may be kept and stands there for the first time. */
    private boolean isNewName() {
        for (int name = 0; name < unknownCount; name++) {
            if (Arrays.equals(value, from, until, value, unknown[2 * name], unknown[2 * name + 1])) {
                return false;
            }
        }
        for (byte[] name : contract.reservedBytes) {
            if (isTaken(name)) {
                return false;
            }
        }
        if (unknownCount == MOST_UNKNOWN || value[from] == '$') {
            return false;
        }
        unknown[2 * unknownCount] = from;
        unknown[2 * unknownCount + 1] = until;
        unknownCount++;
        return true;
    }

    private boolean readKnown(int position) {
        Contract.Field field = contract.fields[position];
        if (field.kind == Contract.Kind.INTEGER) {
            boolean taken = takeDigits() && digitCount <= INTEGER_DIGITS;
            event.integers[position] = digits;
            return taken && digits >= field.minimum && digits <= field.maximum;
        }
        if (field.kind == Contract.Kind.NUMBER) {
            return readNumber(field, position);
        }
        return takeText() && readText(field, position);
    }

    private boolean readNumber(Contract.Field field, int position) {
        if (!takeDigits()) {
            return false;
        }
        int scale = 0;
        if (take('.')) {
            int before = at;
            addDigits();
            scale = at - before;
            if (scale == 0) {
                return false;
            }
        }
        if (digitCount > EXACT_DIGITS) {
            return false;
        }
        double number = digits / POWERS[scale];
        event.numbers[position] = number;
        return number >= field.minimum && number <= field.maximum;
    }

    private boolean readText(Contract.Field field, int position) {
        if (field.kind == Contract.Kind.DATE) {
            event.texts[position] = UTF8String.fromBytes(value, from, until - from);
            event.eventSeconds = Times.parse(value, from, until - from);
            return event.eventSeconds != Times.NO_TIME;
        }
        for (int code = 0; code < field.choiceBytes.length; code++) {
            if (isTaken(field.choiceBytes[code])) {
                event.texts[position] = field.choiceTexts[code];
                event.codes[position] = code;
                return true;
            }
        }
        return false;
    }

    /** Past a text, a number whose digits a document keeps, or a literal. */
    private boolean takeScalar() {
        if (at < value.length && value[at] == '"') {
            return takeText();
        }
        for (byte[] text : LITERALS) {
            if (at + text.length <= value.length && standsAt(at, text)) {
                at += text.length;
                return true;
            }
        }
        take('-');
        if (!takeDigits()) {
            return false;
        }
        if (take('.')) {
            int before = digitCount;
            addDigits();
            return digitCount > before && digitCount <= EXACT_DIGITS;
        }
        return digitCount <= INTEGER_DIGITS;
    }

    /** Past digits as JSON has them before a point; their number is not checked. */
    private boolean takeDigits() {
        digits = 0;
        digitCount = 0;
        int start = at;
        addDigits();
        return digitCount == 1 || digitCount > 1 && value[start] != '0';
    }

    private void addDigits() {
        while (at < value.length && value[at] >= '0' && value[at] <= '9') {
            digits = digits * 10 + value[at] - '0';
            digitCount++;
            at++;
        }
    }

    /** Past a text without escapes in ASCII, which lies between {@code from} and {@code until}. */
    private boolean takeText() {
        if (!take('"')) {
            return false;
        }
        from = at;
        while (at < value.length && value[at] >= ' ' && value[at] != '"' && value[at] != '\\') {
            at++;
        }
        until = at;
        return take('"');
    }

    private boolean take(char wanted) {
        if (at < value.length && value[at] == wanted) {
            at++;
            return true;
        }
        return false;
    }

    private void skipSpace() {
        while (at < value.length && (value[at] == ' ' || value[at] == '\n' || value[at] == '\r' || value[at] == '\t')) {
            at++;
        }
    }

    private static double[] powers() {
        double[] powers = new double[EXACT_DIGITS + 1];
        powers[0] = 1.0;
        for (int power = 1; power < powers.length; power++) {
            powers[power] = powers[power - 1] * 10.0;
        }
        return powers;
    }
}
