package fraudstream.query.windows;

import fraudstream.query.aggregates.Aggregate;
import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.Scope;
import fraudstream.query.operators.Guard;
import fraudstream.query.operators.Intake;
import fraudstream.query.operators.Projection;
import fraudstream.query.operators.Stage;
import fraudstream.query.operators.StepNode;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Key;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A step that groups rows by keys and windows. Its rows have the time of their window's end. */
public final class Aggregation extends StepNode {
    private final Grouping grouping;
    private final Stage first;
    private final Scope result;
    private final Stage last;
    private final Guard guard;

    /** What rows are grouped by, and what is computed for each group. */
    public record Grouping(ExpressionList keys, Aggregate[] aggregates, List<Window> windows) {
    }

    /** What becomes of a group's result. */
    public record Output(Expression having, Projection projection, boolean distinct, Guard guard) {
    }

    public Aggregation(
        Intake intake, Scope scope, UnaryOperator<Stage> stages, Grouping grouping, Output output, long skew
    ) {
        super(intake, scope, output.distinct, skew);
        this.grouping = grouping;
        guard = output.guard;
        first = stages.apply(this::add);
        result = new Scope(scope.rows.length);
        last = Stage.where(output.having, row -> give(output.projection.of(row)));
    }

    private void add(Scope row) {
        Object[] samples = new Object[grouping.aggregates.length];
        Key group = grouping.keys.key(row);
        for (int at = 0; at < samples.length; at++) {
            samples[at] = grouping.aggregates[at].sample(row);
        }
        for (Window window : grouping.windows) {
            window.add(group, samples, row);
        }
    }

    @Override
    protected void take(long moment) {
        Window.Results results = (group, values, label) -> {
            result.time = moment;
            result.keys = group.values().toArray();
            result.window = label;
            try {
                result.aggregates = values.get();
                last.take(result);
            } catch (QueryStopped error) {
                List<Object> keys = new ArrayList<>(group.values());
                guard.failed(error, Record.of("window_end", new Datetime(moment), "group", keys));
            }
        };
        for (Window window : grouping.windows) {
            window.open(moment, results);
        }
        intake.each(moment, scope, first);
        for (Window window : grouping.windows) {
            window.close(moment, results);
        }
    }

    @Override
    public long next() {
        long next = intake.next();
        for (Window window : grouping.windows) {
            next = Math.min(next, window.next());
        }
        return next;
    }

    @Override
    public void save(StateWriter to) {
        super.save(to);
        grouping.windows.forEach(window -> window.save(to));
    }

    @Override
    public void load(StateReader from) {
        super.load(from);
        grouping.windows.forEach(window -> window.load(from));
    }
}
