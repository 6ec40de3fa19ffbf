package fraudstream.query.values;

import java.util.List;

/** Equality, order and hash of values for keys, and their types. */
public final class Values {
    /** Characters that a text may have at most. */
    public static final int MOST_UNITS = 1 << 26;

    private static final int SHOWN = 60;
    private static final double LONG_LIMIT = 0x1p63;

    private Values() {
    }

    /** Stops the query at a text that would have more characters than {@link #MOST_UNITS}. */
    public static void checkLength(long units) {
        if (units > MOST_UNITS) {
            throw new QueryStopped("A text of more than " + MOST_UNITS + " characters is too long.");
        }
    }

    /** The type's name in the language; null for NULL. */
    public static String type(Object value) {
        if (value == null) {
            return null;
        }
        switch (rank(value)) {
            case 1:
                return value instanceof Long ? "bigint" : value instanceof Double ? "float" : "bit";
            case 2:
                return "nvarchar(max)";
            case 3:
                return "datetime";
            case 4:
                return "record";
            default:
                return "array";
        }
    }

    /** Whether two values are one key: NULL is equal to NULL, 1 to 1.0 and to the bit 1. */
    public static boolean isSame(Object left, Object right) {
        if (left == right) {
            return true;
        }
        if (left instanceof String && right instanceof String) {
            return left.equals(right);
        }
        return left != null && right != null && compare(left, right) == 0;
    }

    /** Agrees with {@link #isSame}. */
    public static int hash(Object value) {
        if (value instanceof Double) {
            return hash((double) (Double) value);
        }
        if (value instanceof Boolean) {
            return Long.hashCode((Boolean) value ? 1 : 0);
        }
        if (value instanceof Record) {
            return hash((Record) value);
        }
        if (value instanceof List) {
            int mixed = 7;
            for (Object item : (List<?>) value) {
                mixed = 31 * mixed + hash(item);
            }
            return mixed;
        }
        return value == null ? 0 : value.hashCode();
    }

    private static int hash(double number) {
        boolean isWhole = number == Math.rint(number) && number >= -LONG_LIMIT && number < LONG_LIMIT;
        return isWhole ? Long.hashCode((long) number) : Double.hashCode(number);
    }

    private static int hash(Record record) {
        int mixed = 5;
        for (int place = 0; place < record.size(); place++) {
            // Names compare ignoring case.
            mixed = 31 * mixed + 17 * record.name(place).length() + hash(record.value(place));
        }
        return mixed;
    }

    /** A total order: NULL, numbers and bits, texts, datetimes, records, arrays. NaN is above all numbers. */
    public static int compare(Object left, Object right) {
        int rank = rank(left);
        int difference = rank - rank(right);
        if (difference != 0) {
            return difference;
        }
        switch (rank) {
            case 0:
                return 0;
            case 1:
                return compareNumbers(left, right);
            case 2:
                return ((String) left).compareTo((String) right);
            case 3:
                return ((Datetime) left).compareTo((Datetime) right);
            case 4:
                return compareRecords((Record) left, (Record) right);
            default:
                return compareArrays((List<?>) left, (List<?>) right);
        }
    }

    private static int rank(Object value) {
        if (value == null) {
            return 0;
        }
        if (isNumber(value)) {
            return 1;
        }
        if (value instanceof String) {
            return 2;
        }
        if (value instanceof Datetime) {
            return 3;
        }
        if (value instanceof Record) {
            return 4;
        }
        if (value instanceof List) {
            return 5;
        }
        throw new IllegalArgumentException("A value of " + value.getClass() + " has no type in the language.");
    }

    /** Whether it is a bigint, a float or a bit. */
    public static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    /** The order of bigints, floats and bits by their exact size; NaN is above all. */
    public static int compareNumbers(Object left, Object right) {
        if (left instanceof Double) {
            double number = (Double) left;
            if (right instanceof Double) {
                double other = (Double) right;
                // Zero has no sign here.
                return number == other ? 0 : Double.compare(number, other);
            }
            return -compareExactly(integer(right), number);
        }
        return right instanceof Double ? compareExactly(integer(left), (Double) right)
            : Long.compare(integer(left), integer(right));
    }

    private static long integer(Object value) {
        return value instanceof Long ? (Long) value : (Boolean) value ? 1L : 0L;
    }

    private static int compareExactly(long left, double right) {
        if (right >= LONG_LIMIT || Double.isNaN(right)) {
            return -1;
        }
        if (right < -LONG_LIMIT) {
            return 1;
        }
        // Not by the bigint as a float, which has 53 bits only.
        long whole = (long) right;
        return left == whole ? Double.compare(0.0, right - whole + 0.0) : Long.compare(left, whole);
    }

    private static int compareRecords(Record left, Record right) {
        int most = Math.min(left.size(), right.size());
        for (int place = 0; place < most; place++) {
            int order = left.name(place).compareToIgnoreCase(right.name(place));
            order = order != 0 ? order : compare(left.value(place), right.value(place));
            if (order != 0) {
                return order;
            }
        }
        return left.size() - right.size();
    }

    private static int compareArrays(List<?> left, List<?> right) {
        int most = Math.min(left.size(), right.size());
        for (int place = 0; place < most; place++) {
            int order = compare(left.get(place), right.get(place));
            if (order != 0) {
                return order;
            }
        }
        return left.size() - right.size();
    }

    /** A value with its type, as error messages show it. */
    public static String shown(Object value) {
        if (value == null) {
            return "NULL";
        }
        String text = value instanceof Double && !Double.isFinite((Double) value) ? value.toString()
            : value instanceof String ? "'" + beginning((String) value) + "'"
            : value instanceof Datetime || isNumber(value) ? Json.text(value).replace("\"", "")
            : beginning(Json.text(value));
        return "the " + type(value) + " " + text;
    }

    /** As {@link #shown}, where a sentence begins. */
    public static String shownFirst(Object value) {
        String shown = shown(value);
        return Character.toUpperCase(shown.charAt(0)) + shown.substring(1);
    }

    /** So much of a text as error messages show. */
    public static String beginning(String text) {
        return text.codePointCount(0, text.length()) <= SHOWN ? text
            : text.substring(0, text.offsetByCodePoints(0, SHOWN)) + "…";
    }
}
