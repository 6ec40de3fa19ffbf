package fraudstream.query.functions;

import fraudstream.query.values.Floats;
import fraudstream.query.values.Numbers;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Values;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;

/** Functions on numbers. Bits count as the bigints 0 and 1; texts stop the query. */
final class NumberFunctions {
    private static final int LONG_DIGITS = 19;
    private static final int MOST_DECIMALS = 400;

    private NumberFunctions() {
    }

    static void addTo(Map<String, Function> table) {
        Functions.add(table, "abs", 1, 1, arguments -> absolute(arguments[0]));
        Functions.add(table, "ceiling", 1, 1, arguments -> ceiling(arguments[0]));
        Functions.add(table, "floor", 1, 1, arguments -> floor(arguments[0]));
        Functions.add(table, "sign", 1, 1, arguments -> sign(arguments[0]));
        Functions.add(table, "power", 2, 2, arguments -> power(arguments[0], arguments[1]));
        Functions.add(table, "round", 2, 2, arguments -> round(arguments[0], Arguments.integer(arguments[1])));
        Functions.add(table, "exp", 1, 1, arguments -> exponential(Numbers.number(arguments[0])));
        Functions.add(table, "sqrt", 1, 1, arguments -> root(Numbers.number(arguments[0])));
        Functions.add(table, "square", 1, 1, arguments -> square(Numbers.number(arguments[0])));
    }

    private static Long integer(Object value) {
        if (value instanceof Long || value instanceof Boolean) {
            return Numbers.integer(value);
        }
        throw new QueryStopped("A bigint or a float is needed, not " + Values.shown(value) + ".");
    }

    private static Object absolute(Object value) {
        if (value instanceof Double) {
            return Math.abs((Double) value);
        }
        long number = integer(value);
        return number < 0 ? Numbers.negate(number) : number;
    }

    private static Object ceiling(Object value) {
        return value instanceof Double ? (Object) Math.ceil((Double) value) : integer(value);
    }

    private static Object floor(Object value) {
        return value instanceof Double ? (Object) Math.floor((Double) value) : integer(value);
    }

    private static Object sign(Object value) {
        return value instanceof Double ? (Object) Math.signum((Double) value)
            : (Object) (long) Long.signum(integer(value));
    }

    private static Object power(Object base, Object exponent) {
        double result = Math.pow(Numbers.number(base), Numbers.number(exponent));
        if (base instanceof Double) {
            return Numbers.finite(result, Values.shown(base) + " to the power of " + Values.shown(exponent));
        }
        if (!(exponent instanceof Double) && Numbers.integer(exponent) >= 0) {
            return wholePower(Numbers.integer(base), Numbers.integer(exponent));
        }
        return Numbers.cut(result);
    }

    private static Long wholePower(long base, long exponent) {
        long result = 1;
        long factor = base;
        try {
            for (long rest = exponent; rest > 0; rest >>= 1) {
                if ((rest & 1) != 0) {
                    result = Math.multiplyExact(result, factor);
                }
                if (rest > 1) {
                    factor = Math.multiplyExact(factor, factor);
                }
            }
        } catch (ArithmeticException error) {
            throw new QueryStopped(base + " to the power of " + exponent + " does not fit into a bigint.");
        }
        return result;
    }

    /** Halves are rounded away from zero, by the decimal digits that the float is shown with. */
    private static Object round(Object value, long decimals) {
        if (value instanceof Double) {
            return round((double) (Double) value, (int) Math.max(-MOST_DECIMALS, Math.min(MOST_DECIMALS, decimals)));
        }
        long number = integer(value);
        if (decimals >= 0) {
            return number;
        }
        if (-decimals > LONG_DIGITS) {
            return 0L;
        }
        BigDecimal rounded = BigDecimal.valueOf(number).setScale((int) decimals, RoundingMode.HALF_UP);
        try {
            return rounded.longValueExact();
        } catch (ArithmeticException error) {
            throw new QueryStopped(number + " rounded to " + decimals + " places does not fit into a bigint.");
        }
    }

    private static Double round(double number, int decimals) {
        if (number == 0 || Double.isNaN(number) || Double.isInfinite(number)) {
            return number;
        }
        double rounded = Floats.decimal(number).setScale(decimals, RoundingMode.HALF_UP).doubleValue();
        return rounded == 0 ? 0.0 : rounded;
    }

    private static Double finite(double result, double of) {
        return Numbers.finite(result, Values.shown(of));
    }

    private static Double exponential(double number) {
        return finite(Math.exp(number), number);
    }

    private static Double root(double number) {
        return finite(Math.sqrt(number), number);
    }

    private static Double square(double number) {
        return finite(number * number, number);
    }
}
