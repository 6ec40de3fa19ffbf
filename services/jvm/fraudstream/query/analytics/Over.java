package fraudstream.query.analytics;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.aggregates.Aggregate;
import fraudstream.query.aggregates.Moving;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;

/** An aggregate OVER the rows of the last so many ticks, the present row included. */
final class Over extends Analytic {
    private final Aggregate[] aggregates;

    private final class Rows implements State {
        final Moving moving = new Moving(aggregates);

        @Override
        public boolean isOver(long time) {
            return moving.isEmpty() || moving.last() <= time;
        }

        @Override
        public void save(StateWriter to) {
            moving.save(to);
        }

        @Override
        public void load(StateReader from) {
            moving.load(from);
        }
    }

    /** {@code text} says that the query makes the argument a text. */
    Over(JsonNode described, UserFunctions functions, boolean text) {
        super(described, functions);
        aggregates = new Aggregate[] {Aggregate.of(described, functions, scope -> scope.rows[0], text)};
    }

    @Override
    State make() {
        return new Rows();
    }

    @Override
    Object value(Scope row, State state, boolean counts) {
        Moving moving = ((Rows) state).moving;
        if (limit != Long.MAX_VALUE) {
            moving.forget(row.time - limit);
        }
        if (counts) {
            moving.add(row.time, new Object[] {aggregates[0].sample(row)});
        }
        return moving.results()[0];
    }
}
