package fraudstream.contract;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * A JSON number by its digits, and the type in which a document keeps them, so that a reader of the document gets the
 * same digits. A double keeps a number whose digits are the shortest that read back as that double, because doubles
 * are printed so.
 */
final class Digits {
    private static final int DOUBLE_DIGITS = 17;
    // So many digits fit into 64 bits without a sign.
    private static final int LONG_DIGITS = 19;
    // So many digits are always kept, where doubles have their full precision.
    private static final int SAFE_DIGITS = 15;
    private static final int SAFE_EXPONENT = 290;
    private static final int DOUBLE_EXPONENT = 330;
    private static final long FAR = 1_000_000_000_000L;
    private static final int INT_BYTES = 4;
    private static final int LONG_BYTES = 8;
    private static final int DECIMAL_BYTES = 16;

    private final Contract contract;
    private final boolean negative;
    private final boolean integer;
    /** The digits from the first to the last that is not zero; only the beginning where there are many. */
    private final StringBuilder significant = new StringBuilder(24);
    private final int count;
    /** The power of ten of the first of them. */
    private final long exponent;
    private final long whole;
    private final boolean isLong;

    Digits(Contract contract, byte[] value, int from, int until) {
        this.contract = contract;
        negative = value[from] == '-';
        int kept = contract.mostDecimalDigits + 1;
        int digits = 0;
        long magnitude = 0;
        int before = -1;
        int first = -1;
        int last = -1;
        int at = negative ? from + 1 : from;
        for (; at < until && value[at] != 'e' && value[at] != 'E'; at++) {
            if (value[at] == '.') {
                before = digits;
                continue;
            }
            if (value[at] != '0') {
                first = first < 0 ? digits : first;
                last = digits;
            }
            if (first >= 0 && significant.length() < kept) {
                significant.append((char) value[at]);
            }
            magnitude = magnitude * 10 + value[at] - '0';
            digits++;
        }
        integer = before < 0 && at == until;
        count = first < 0 ? 0 : last - first + 1;
        significant.setLength(Math.min(significant.length(), count));
        long power = at < until ? power(value, at + 1, until) : 0L;
        exponent = (before < 0 ? digits : before) - 1L - first + power;
        boolean fits = integer && digits <= LONG_DIGITS
            && (magnitude >= 0 || negative && magnitude == Long.MIN_VALUE);
        whole = !fits ? 0L : negative ? -magnitude : magnitude;
        isLong = fits && !(negative && count == 0);
    }

    private static long power(byte[] value, int from, int until) {
        boolean below = value[from] == '-';
        long power = 0;
        for (int at = below || value[from] == '+' ? from + 1 : from; at < until; at++) {
            power = Math.min(FAR, power * 10 + value[at] - '0');
        }
        return below ? -power : power;
    }

    /** Whether it is an integer of 64 bits; zero with a sign is none, as integers do not keep that. */
    boolean isLong() {
        return isLong;
    }

    long asLong() {
        return whole;
    }

    /** The nearest double, which may be infinite. */
    double asDouble() {
        if (count == 0) {
            return negative ? -0.0 : 0.0;
        }
        if (exponent > DOUBLE_EXPONENT) {
            return negative ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        return exponent < -DOUBLE_EXPONENT ? 0.0 : Double.parseDouble(written());
    }

    private String written() {
        // A digit stands for those that were not kept, of which the last is not zero: it decides what is halfway.
        boolean isCut = count > significant.length();
        long last = exponent - significant.length() + (isCut ? 0 : 1);
        return (negative ? "-" : "") + significant + (isCut ? "1" : "") + "E" + last;
    }

    /** The number with its digits, where its first one has a power of ten below this one in size; else null. */
    BigDecimal exact(int power) {
        if (count == 0) {
            return BigDecimal.ZERO;
        }
        return Math.abs(exponent) < power ? new BigDecimal(written()) : null;
    }

    boolean isKeptByDouble() {
        if (count == 0) {
            return true;
        }
        if (count > DOUBLE_DIGITS || Math.abs(exponent) > DOUBLE_EXPONENT) {
            return false;
        }
        if (count <= SAFE_DIGITS && Math.abs(exponent) <= SAFE_EXPONENT) {
            return true;
        }
        double number = asDouble();
        return number != 0.0 && !Double.isInfinite(number) && isShortest(number);
    }

    private boolean isShortest(double number) {
        BigDecimal exact = new BigDecimal(number);
        if (count > 1) {
            MathContext shorter = new MathContext(count - 1, RoundingMode.DOWN);
            MathContext above = new MathContext(count - 1, RoundingMode.UP);
            if (exact.round(shorter).doubleValue() == number || exact.round(above).doubleValue() == number) {
                return false;
            }
        }
        BigDecimal given = new BigDecimal(written());
        BigDecimal nearest = exact.round(new MathContext(count, RoundingMode.HALF_EVEN));
        return given.compareTo(nearest) == 0 || nearest.doubleValue() != number;
    }

    private boolean isKeptByDecimal() {
        return count <= contract.mostDecimalDigits
            && exponent >= contract.leastDecimalExponent && exponent <= contract.mostDecimalExponent;
    }

    /** The bytes of the BSON value that keeps the digits; -1 where none does. */
    int bytes() {
        if (isLong) {
            return whole == (int) whole ? INT_BYTES : LONG_BYTES;
        }
        if (integer && count > 0) {
            return isKeptByDecimal() ? DECIMAL_BYTES : -1;
        }
        return isKeptByDouble() ? LONG_BYTES : isKeptByDecimal() ? DECIMAL_BYTES : -1;
    }
}
