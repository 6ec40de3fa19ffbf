package fraudstream.query.values;

import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/**
 * Arithmetic on bigints, floats and bits, the last as 0 and 1. NULL gives NULL; a float makes the result a float. A
 * result out of the type's range and a division by zero stop the query.
 */
public final class Numbers {
    private Numbers() {
    }

    public static Object add(Object left, Object right) {
        return computed(left, Operation.ADDITION, right);
    }

    public static Object subtract(Object left, Object right) {
        return computed(left, Operation.SUBTRACTION, right);
    }

    public static Object multiply(Object left, Object right) {
        return computed(left, Operation.MULTIPLICATION, right);
    }

    /** Two bigints give a bigint, cut toward zero. */
    public static Object divide(Object left, Object right) {
        return computed(left, Operation.DIVISION, right);
    }

    /** What is left by the division, with the sign of the dividend. */
    public static Object remainder(Object left, Object right) {
        return computed(left, Operation.REMAINDER, right);
    }

    private enum Operation {
        ADDITION("+", Math::addExact, (left, right) -> left + right),
        SUBTRACTION("-", Math::subtractExact, (left, right) -> left - right),
        MULTIPLICATION("*", Math::multiplyExact, (left, right) -> left * right),
        DIVISION("/", Numbers::divideExact, (left, right) -> left / right),
        REMAINDER("%", (left, right) -> left % right, (left, right) -> left % right);

        final String sign;
        final boolean divides;
        private final LongBinaryOperator ofIntegers;
        private final DoubleBinaryOperator ofFloats;

        Operation(String sign, LongBinaryOperator ofIntegers, DoubleBinaryOperator ofFloats) {
            this.sign = sign;
            divides = "/".equals(sign) || "%".equals(sign);
            this.ofIntegers = ofIntegers;
            this.ofFloats = ofFloats;
        }
    }

    private static Object computed(Object left, Operation operation, Object right) {
        if (left == null || right == null) {
            return null;
        }
        if (!Values.isNumber(left) || !Values.isNumber(right)) {
            throw new QueryStopped(Values.shownFirst(left) + " " + operation.sign + " " + Values.shown(right)
                + ": only numbers can be calculated with. CAST texts first.");
        }
        if (operation.divides && number(right) == 0) {
            throw new QueryStopped(Values.shownFirst(left) + " is divided by zero.");
        }
        if (!(left instanceof Double || right instanceof Double)) {
            try {
                return operation.ofIntegers.applyAsLong(integer(left), integer(right));
            } catch (ArithmeticException error) {
                throw overflow(left, operation, right, "bigint");
            }
        }
        double result = operation.ofFloats.applyAsDouble(number(left), number(right));
        if (Double.isInfinite(result)) {
            throw overflow(left, operation, right, "float");
        }
        return result;
    }

    private static long divideExact(long left, long right) {
        if (left == Long.MIN_VALUE && right == -1) {
            throw new ArithmeticException();
        }
        return left / right;
    }

    private static QueryStopped overflow(Object left, Operation operation, Object right, String type) {
        return new QueryStopped(Values.shownFirst(left) + " " + operation.sign + " " + Values.shown(right)
            + " does not fit into a " + type + ".");
    }

    public static Object negate(Object value) {
        if (value instanceof Double) {
            return -(Double) value;
        }
        return value == null ? null : subtract(0L, value);
    }

    /** A bigint, float or bit as a float; anything else stops the query. */
    public static double number(Object value) {
        if (value instanceof Double) {
            return (Double) value;
        }
        if (value instanceof Long || value instanceof Boolean) {
            return integer(value);
        }
        throw new QueryStopped("A bigint or a float is needed, not " + Values.shown(value) + ".");
    }

    /** A bigint or a bit as a bigint; anything else stops the query. */
    public static Long integer(Object value) {
        if (value instanceof Long) {
            return (Long) value;
        }
        if (value instanceof Boolean) {
            return (Boolean) value ? 1L : 0L;
        }
        throw new QueryStopped("A bigint is needed, not " + Values.shown(value) + ".");
    }

    /** The float cut to a bigint. Stops the query where it is none or too large. */
    public static long cut(double number) {
        if (number >= -0x1p63 && number < 0x1p63) {
            return (long) number;
        }
        throw new QueryStopped(Values.shownFirst(number) + " does not fit into a bigint.");
    }

    /** The number where it is finite; infinities and NaN stop the query. */
    public static Double finite(double result, String what) {
        if (Double.isNaN(result) || Double.isInfinite(result)) {
            throw new QueryStopped("The result for " + what + " is no float.");
        }
        return result;
    }
}
