package fraudstream.query.operators;

import fraudstream.query.analytics.Analytics;
import fraudstream.query.expressions.Scope;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.state.Stateful;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.util.List;

/** How the rows of a step's sources enter its first stage. */
public interface Intake extends Stateful {
    /** Sends the rows of the moment into the stage. To be called once at each turn of the engine's clock. */
    void each(long moment, Scope scope, Stage first);

    /** The moment of the first rows that wait. */
    long next();

    /** Rows of one step. Analytic functions see all of them, before anything else does. */
    static Intake ofStep(Feed<Record> feed, Analytics analytics, Guard guard) {
        return new Intake() {
            @Override
            public void each(long moment, Scope scope, Stage first) {
                List<Record> records = feed.take(moment);
                for (int at = 0; at < records.size(); at++) {
                    scope.rows[0] = records.get(at);
                    scope.times[0] = moment;
                    scope.time = moment;
                    scope.applied = 0;
                    try {
                        scope.analytics = analytics.of(scope);
                        first.take(scope);
                    } catch (QueryStopped error) {
                        guard.failed(error, records.get(at));
                    }
                }
            }

            @Override
            public long next() {
                return feed.next();
            }

            @Override
            public void save(StateWriter to) {
                feed.save(to);
                analytics.save(to);
            }

            @Override
            public void load(StateReader from) {
                feed.load(from);
                analytics.load(from);
            }
        };
    }

    /** Rows that a join made. */
    static Intake ofJoin(Feed<Joined> feed, Guard guard) {
        return new Intake() {
            @Override
            public void each(long moment, Scope scope, Stage first) {
                for (Joined joined : feed.take(moment)) {
                    joined.restore(scope);
                    try {
                        first.take(scope);
                    } catch (QueryStopped error) {
                        guard.failed(error, scope.rows[0]);
                    }
                }
            }

            @Override
            public long next() {
                return feed.next();
            }

            @Override
            public void save(StateWriter to) {
                feed.save(to);
            }

            @Override
            public void load(StateReader from) {
                feed.load(from);
            }
        };
    }
}
