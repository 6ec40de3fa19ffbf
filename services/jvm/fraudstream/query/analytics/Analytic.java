package fraudstream.query.analytics;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.state.Stateful;
import fraudstream.query.values.Key;
import java.util.HashMap;
import java.util.Map;

/** An analytic function with a state for each key of its PARTITION BY. */
abstract class Analytic implements Stateful {
    private static final long NO_LIMIT = Long.MAX_VALUE;

    /** Rows count for so many ticks; {@code Long.MAX_VALUE} for ever. */
    final long limit;
    private final ExpressionList partition;
    private final Expression when;
    private final Map<Key, State> states = new HashMap<>();
    private long swept = Long.MIN_VALUE;

    /** What is kept of a key's rows. */
    interface State extends Stateful {
        /** Whether nothing is left that counts, if only rows after this time do. */
        boolean isOver(long time);
    }

    Analytic(JsonNode described, UserFunctions functions) {
        limit = limit(described);
        partition = new ExpressionList(described.path("partition"), functions);
        JsonNode condition = described.path("when");
        when = condition.isObject() ? Expressions.of(condition, functions) : null;
    }

    long limit(JsonNode described) {
        return described.path("limit").isNumber() ? described.get("limit").asLong() : NO_LIMIT;
    }

    abstract State make();

    /** The value for a row, which the state takes in if it counts. */
    abstract Object value(Scope row, State state, boolean counts);

    final Object value(Scope row) {
        forget(row.time);
        Key key = partition.key(row);
        State state = states.get(key);
        if (state == null) {
            state = make();
            states.put(key, state);
        }
        return value(row, state, when == null || Expressions.isTrue(when.value(row)));
    }

    /** Once per limit, lets go of the keys whose rows are all too old. */
    private void forget(long time) {
        if (swept == Long.MIN_VALUE) {
            swept = time;
        } else if (limit != NO_LIMIT && time - swept >= limit) {
            swept = time;
            states.values().removeIf(state -> state.isOver(time - limit));
        }
    }

    @Override
    public void save(StateWriter to) {
        to.number(swept);
        to.number(states.size());
        states.forEach((key, state) -> {
            to.key(key);
            state.save(to);
        });
    }

    @Override
    public void load(StateReader from) {
        swept = from.number();
        from.each(() -> {
            Key key = from.key();
            State state = make();
            state.load(from);
            states.put(key, state);
        });
    }
}
