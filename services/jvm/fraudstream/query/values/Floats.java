package fraudstream.query.values;

import com.fasterxml.jackson.core.io.NumberOutput;
import java.math.BigDecimal;

/** The shortest texts of floats that read back as the same float. */
public final class Floats {
    private static final double PLAIN_FROM = 1e-5;
    private static final double PLAIN_UNTIL = 1e15;
    private static final int MOST_DECIMALS = 6;
    private static final double[] POWERS = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};

    private Floats() {
    }

    /** Writes it always with a fraction: {@code 8.0}, {@code 1.5E20}. */
    static void write(StringBuilder to, double number) {
        write(to, number, true);
    }

    /** As a conversion to text shows it: {@code 8}, {@code 18.33}, {@code 1.5E+20}. */
    public static String text(double number) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return Double.isNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
        }
        StringBuilder to = new StringBuilder();
        write(to, number, false);
        return to.toString();
    }

    /** The decimal number that the shortest text names. */
    public static BigDecimal decimal(double number) {
        return new BigDecimal(NumberOutput.toString(number, true));
    }

    private static void write(StringBuilder to, double number, boolean always) {
        double size = Math.abs(number);
        if (size != 0 && (size < PLAIN_FROM || size >= PLAIN_UNTIL)) {
            writePower(to, NumberOutput.toString(number, true), always);
            return;
        }
        int decimals = decimals(size);
        if (decimals < 0) {
            to.append(decimal(number).toPlainString());
            return;
        }
        if (number < 0 || 1 / number < 0 && always) {
            to.append('-');
        }
        long scaled = (long) Math.rint(size * POWERS[decimals]);
        long power = (long) POWERS[decimals];
        to.append(scaled / power);
        if (decimals > 0) {
            to.append('.');
            for (long rest = power / 10; rest > 0; rest /= 10) {
                to.append((char) ('0' + scaled / rest % 10));
            }
        } else if (always) {
            to.append(".0");
        }
    }

    /** How many decimals the number has, where they are few; else -1. */
    private static int decimals(double size) {
        for (int decimals = 0; decimals <= MOST_DECIMALS; decimals++) {
            double scaled = Math.rint(size * POWERS[decimals]);
            if (scaled >= PLAIN_UNTIL) {
                return -1;
            }
            // Both are exact, so their quotient is the float that the decimals name.
            if (scaled / POWERS[decimals] == size) {
                return decimals;
            }
        }
        return -1;
    }

    private static void writePower(StringBuilder to, String text, boolean always) {
        if (always) {
            to.append(text);
            return;
        }
        int power = text.indexOf('E');
        if (power < 0) {
            to.append(text);
            return;
        }
        String digits = text.substring(0, power);
        int exponent = Integer.parseInt(text.substring(power + 1));
        to.append(digits.endsWith(".0") ? digits.substring(0, digits.length() - 2) : digits);
        to.append('E').append(exponent < 0 ? '-' : '+');
        if (Math.abs(exponent) < 10) {
            to.append('0');
        }
        to.append(Math.abs(exponent));
    }
}
