package fraudstream.contract;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads the usual event several times as fast as {@link EventReader}: no escapes, no field twice, no objects or arrays,
 * numbers of few digits, every rule kept. It gives up on any other value, also on valid ones, and never refuses an
 * event: {@link EventReader} gives the reasons.
 */
final class PlainReader {
    private static final byte[] TRUE = Contract.ascii("true");
    private static final byte[] FALSE = Contract.ascii("false");
    private static final byte[] NOTHING = Contract.ascii("null");
    private static final int INTEGER_DIGITS = 18;
    // Numbers of so few digits, and so near, are kept by every document.
    private static final int MOST_DIGITS = 34;
    private static final int MOST_POWER = 250;
    private static final int POWER_DIGITS = 3;
    private static final int MOST_UNKNOWN = 8;
    private static final int NO_NAME = -2;

    private final Contract contract;
    private final Field[] fields;
    private final Event event;
    private final byte[] value;
    private int at;
    // Where the text that was taken last begins and ends.
    private int from;
    private int until;
    /** Whether a text had a character that ASCII lacks. */
    private boolean wide;
    private long digits;
    private int digitCount;
    /** Which fields are there, also as null. */
    private final boolean[] seen;
    private final int[] unknown = new int[2 * MOST_UNKNOWN];
    private int unknownCount;

    private PlainReader(Contract contract, byte[] value) {
        this.contract = contract;
        this.value = value;
        fields = contract.fields.all;
        seen = new boolean[fields.length];
        event = new Event(contract, contract.slots.length);
    }

    /** The valid event that a value of more than no bytes holds, or null where this reader gives up. */
    static Event read(Contract contract, byte[] value) {
        if (!contract.isPlain) {
            return null;
        }
        PlainReader reader = new PlainReader(contract, value);
        boolean good = reader.readObject() && reader.isComplete() && (!reader.wide || Texts.decoded(value) != null);
        return good ? reader.event : null;
    }

    private boolean readObject() {
        skipSpace();
        if (!take('{')) {
            return false;
        }
        int expected = 0;
        do {
            skipSpace();
            int position = takeName(expected);
            if (position == NO_NAME) {
                return false;
            }
            boolean good = position < 0 ? isNewName() : !seen[position];
            skipSpace();
            if (!good || !(position < 0 ? takeScalar() : readKnown(fields[position]))) {
                return false;
            }
            if (position >= 0) {
                seen[position] = true;
                expected = position + 1;
            }
            skipSpace();
        } while (take(','));
        boolean ended = take('}');
        skipSpace();
        return ended && at == value.length;
    }

    private boolean isComplete() {
        for (int position : contract.required) {
            if (!seen[position]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Past a name and the colon behind it: the field's place, tried first where senders put it; -1 for an unknown one,
     * {@link #NO_NAME} where there is no name.
     */
    private int takeName(int expected) {
        Fields known = contract.fields;
        if (expected < fields.length && known.quoted[expected] != null && takeWord(known.quoted[expected])) {
            return expected;
        }
        if (!takeText()) {
            return NO_NAME;
        }
        skipSpace();
        return take(':') ? known.keys.find(value, from, until) : NO_NAME;
    }

    private boolean takeWord(byte[] word) {
        boolean stands = Tokens.stands(word, value, at);
        at += stands ? word.length : 0;
        return stands;
    }

    /** Whether the unknown name that was taken last may be kept and stands there for the first time. */
    private boolean isNewName() {
        for (int name = 0; name < unknownCount; name++) {
            if (Arrays.equals(value, from, until, value, unknown[2 * name], unknown[2 * name + 1])) {
                return false;
            }
        }
        if (contract.reservedNames.find(value, from, until) >= 0 || unknownCount == MOST_UNKNOWN || value[from] == '$') {
            return false;
        }
        unknown[2 * unknownCount] = from;
        unknown[2 * unknownCount + 1] = until;
        unknownCount++;
        return true;
    }

    private boolean readKnown(Field field) {
        if (field.nullable && takeWord(NOTHING)) {
            return true;
        }
        boolean good = switch (field.kind) {
            case INT -> readInteger(field);
            case FLOAT -> readNumber(field);
            case TEXT -> takeText() && readText(field);
            case BOOL -> readTruth(field);
            case TIME -> readTime(field);
            default -> false;
        };
        if (good) {
            event.present[field.slot] = true;
        }
        return good;
    }

    private boolean readInteger(Field field) {
        boolean negative = take('-');
        boolean taken = takeDigits() && digitCount <= INTEGER_DIGITS;
        long number = negative ? -digits : digits;
        event.numbers[field.slot] = number;
        // Zero with a sign is no integer.
        return taken && (number != 0 || !negative) && field.takes(number);
    }

    private boolean readTruth(Field field) {
        boolean truth = takeWord(TRUE);
        event.numbers[field.slot] = truth ? 1 : 0;
        return (truth || takeWord(FALSE)) && field.takes(truth);
    }

    private boolean readNumber(Field field) {
        double number = takeNumber();
        event.numbers[field.slot] = Double.doubleToRawLongBits(number);
        return field.takes(number);
    }

    /** The number that stands next; NaN where this reader does not know it. */
    private double takeNumber() {
        int start = at;
        boolean negative = take('-');
        if (!takeDigits()) {
            return Double.NaN;
        }
        int power = -takeDecimals();
        if (power > 0 || digitCount > MOST_DIGITS) {
            return Double.NaN;
        }
        long coefficient = digits;
        boolean isShort = digitCount <= INTEGER_DIGITS || digitCount - INTEGER_DIGITS <= zeros(start);
        if (at < value.length && (value[at] == 'e' || value[at] == 'E')) {
            int exponent = takePower();
            if (exponent > MOST_POWER) {
                return Double.NaN;
            }
            power += exponent;
        }
        double number = isShort ? Decimals.of(coefficient, power) : Double.NaN;
        if (Double.isNaN(number)) {
            return Double.parseDouble(new String(value, start, at - start, StandardCharsets.ISO_8859_1));
        }
        return negative ? -number : number;
    }

    /** How many zeros stand before the first other digit of a number that begins there. */
    private int zeros(int start) {
        int place = value[start] == '-' ? start + 1 : start;
        int count = 0;
        for (; place < at && (value[place] == '0' || value[place] == '.'); place++) {
            count += value[place] == '0' ? 1 : 0;
        }
        return count;
    }

    /** Past a point and the digits behind it, and how many these are; -1 for a point without any. */
    private int takeDecimals() {
        if (!take('.')) {
            return 0;
        }
        int before = at;
        addDigits();
        return at == before ? -1 : at - before;
    }

    /** Past an exponent, and that; more than {@link #MOST_POWER} where it is not near enough. */
    private int takePower() {
        at++;
        boolean below = take('-');
        if (!below) {
            take('+');
        }
        int power = 0;
        int before = at;
        while (at < value.length && value[at] >= '0' && value[at] <= '9' && at - before < POWER_DIGITS) {
            power = 10 * power + value[at++] - '0';
        }
        if (at == before || power > MOST_POWER || at < value.length && value[at] >= '0' && value[at] <= '9') {
            return MOST_POWER + 1;
        }
        return below ? -power : power;
    }

    private boolean readTime(Field field) {
        long micros = Times.NO_TIME;
        if (field.time.isNumber) {
            int start = at;
            take('-');
            if (takeDigits() && takeDecimals() >= 0 && digitCount <= MOST_DIGITS) {
                micros = field.time.of(new Digits(contract, value, start, at));
            }
        } else if (takeText()) {
            if (field.used) {
                event.texts[field.slot] = UTF8String.fromBytes(value, from, until - from);
            }
            micros = field.time.plain(value, from, until);
            micros = micros == Times.NO_TIME ? field.time.of(text()) : micros;
        }
        event.micros = micros;
        return micros != Times.NO_TIME;
    }

    private boolean readText(Field field) {
        int code = field.knownNames.count() == 0 ? -1 : field.knownNames.find(value, from, until);
        event.numbers[field.slot] = code;
        if (field.used) {
            event.texts[field.slot] =
                code >= 0 ? field.knownTexts[code] : UTF8String.fromBytes(value, from, until - from);
        }
        if (field.strict) {
            return code >= 0;
        }
        return field.isLong(wide ? characters() : until - from)
            && (field.pattern == null || field.pattern.matcher(text()).find());
    }

    /** How many code points the text has that was taken last. */
    private int characters() {
        int count = 0;
        for (int place = from; place < until; place++) {
            count += (value[place] & 0xc0) == 0x80 ? 0 : 1;
        }
        return count;
    }

    private String text() {
        return new String(value, from, until - from, StandardCharsets.UTF_8);
    }

    /** Past a text, a number whose digits a document keeps, or a literal. */
    private boolean takeScalar() {
        if (at < value.length && value[at] == '"') {
            return takeText();
        }
        if (takeWord(TRUE) || takeWord(FALSE) || takeWord(NOTHING)) {
            return true;
        }
        take('-');
        return takeDigits() && takeDecimals() >= 0 && digitCount <= MOST_DIGITS;
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
        byte[] text = value;
        int place = at;
        long number = digits;
        while (place < text.length && text[place] >= '0' && text[place] <= '9') {
            number = number * 10 + text[place] - '0';
            place++;
        }
        digits = number;
        digitCount += place - at;
        at = place;
    }

    /** Past a text without escapes, which lies between {@code from} and {@code until}. */
    private boolean takeText() {
        if (!take('"')) {
            return false;
        }
        byte[] text = value;
        int place = at;
        byte bits = 0;
        while (place < text.length && text[place] != '"' && text[place] != '\\'
            && (text[place] >= ' ' || text[place] < 0)) {
            bits |= text[place];
            place++;
        }
        wide |= bits < 0;
        from = at;
        until = place;
        at = place;
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
        while (at < value.length && value[at] <= ' ' && isSpace(value[at])) {
            at++;
        }
    }

    private static boolean isSpace(byte character) {
        return character == ' ' || character == '\n' || character == '\r' || character == '\t';
    }
}
