package fraudstream.query.aggregates;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Values;
import java.util.Comparator;

/** The ORDER BY of an aggregate. NULL is the smallest value; of equal rows, the earlier one is first. */
final class Ordered implements Comparator<Ordered.Sample> {
    private static final long VALUE = 0;
    private static final long ORDERED = 1;
    private static final long TIMED = 2;

    private final Expression[] by;
    private final int[] signs;

    /** A row's value, which may be null, and what it is ordered by. */
    record Sample(Object value, Object[] by) {
    }

    Ordered(JsonNode order, UserFunctions functions) {
        by = new Expression[order.size()];
        signs = new int[by.length];
        for (int at = 0; at < by.length; at++) {
            by[at] = Expressions.of(order.get(at).get("by"), functions);
            signs[at] = order.get(at).path("descending").asBoolean() ? -1 : 1;
        }
    }

    Sample sample(Scope scope, Object value) {
        Object[] found = new Object[by.length];
        for (int at = 0; at < found.length; at++) {
            found[at] = by[at].value(scope);
        }
        return new Sample(value, found);
    }

    @Override
    public int compare(Sample left, Sample right) {
        for (int at = 0; at < signs.length; at++) {
            int compared = signs[at] * Values.compare(left.by[at], right.by[at]);
            if (compared != 0) {
                return compared;
            }
        }
        return 0;
    }

    /** Writes a sample of any aggregate: null, a value, one of these, or a value with its row's time. */
    static void save(StateWriter to, Object sample) {
        if (sample instanceof Sample one) {
            to.number(ORDERED);
            to.value(one.value);
            to.values(one.by);
        } else if (sample instanceof Object[] pair) {
            to.number(TIMED);
            to.value(pair[0]);
            to.number((Long) pair[1]);
        } else {
            to.number(VALUE);
            to.value(sample);
        }
    }

    static Object load(StateReader from) {
        long kind = from.number();
        Object value = from.value();
        if (kind == VALUE) {
            return value;
        }
        return kind == ORDERED ? new Sample(value, from.values()) : new Object[] {value, from.number()};
    }
}
