package fraudstream.query.analytics;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.windows.Alignment;

/** ISFIRST: 1 for the first row that counts in an interval, which is aligned as windows are. */
final class IsFirst extends Analytic {
    private final Alignment intervals;

    private static final class Seen implements State {
        long end = Long.MIN_VALUE;

        @Override
        public boolean isOver(long time) {
            return end <= time;
        }

        @Override
        public void save(StateWriter to) {
            to.number(end);
        }

        @Override
        public void load(StateReader from) {
            end = from.number();
        }
    }

    IsFirst(JsonNode described, UserFunctions functions) {
        super(described, functions);
        intervals = new Alignment(described.get("interval").asLong(), 0);
    }

    @Override
    long limit(JsonNode described) {
        return described.get("interval").asLong();
    }

    @Override
    State make() {
        return new Seen();
    }

    @Override
    Object value(Scope row, State state, boolean counts) {
        Seen seen = (Seen) state;
        long end = intervals.endOf(row.time);
        if (!counts || seen.end == end) {
            return 0L;
        }
        seen.end = end;
        return 1L;
    }
}
