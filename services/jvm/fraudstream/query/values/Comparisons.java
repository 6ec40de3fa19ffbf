package fraudstream.query.values;

import java.util.List;

/**
 * Comparisons of the language, which may be unknown: with NULL, of numbers with texts, and by order of records and
 * arrays. A text beside a datetime is read as one.
 */
public final class Comparisons {
    /** The order of values that do not compare. */
    public static final int UNKNOWN = Integer.MIN_VALUE;
    /** The order of records or arrays that differ. */
    public static final int DIFFERENT = Integer.MAX_VALUE;

    private Comparisons() {
    }

    /** Negative, zero or positive, or {@link #UNKNOWN} or {@link #DIFFERENT}. */
    public static int order(Object left, Object right) {
        if (left instanceof Long && right instanceof Long) {
            return Long.compare((Long) left, (Long) right);
        }
        if (left == null || right == null) {
            return UNKNOWN;
        }
        if (left instanceof String && right instanceof String) {
            int order = ((String) left).compareTo((String) right);
            return order < 0 ? -1 : order > 0 ? 1 : 0;
        }
        if (Values.isNumber(left) && Values.isNumber(right)) {
            return Values.compareNumbers(left, right);
        }
        if (left instanceof Datetime || right instanceof Datetime) {
            Datetime first = moment(left);
            Datetime second = moment(right);
            return first == null || second == null ? UNKNOWN : first.compareTo(second);
        }
        if (left instanceof Record && right instanceof Record || left instanceof List && right instanceof List) {
            return Values.isSame(left, right) ? 0 : DIFFERENT;
        }
        return UNKNOWN;
    }

    /** Whether the values are equal; null where that is unknown. */
    public static Boolean areEqual(Object left, Object right) {
        int order = order(left, right);
        return order == UNKNOWN ? null : (Boolean) (order == 0);
    }

    private static Datetime moment(Object value) {
        return value instanceof Datetime ? (Datetime) value
            : value instanceof String ? Moments.read((String) value) : null;
    }
}
