package fraudstream.query.operators;

import fraudstream.query.expressions.Scope;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Key;
import fraudstream.query.values.Record;
import java.util.HashSet;
import java.util.Set;

/** The last node of a step, which gives the step's rows. */
public abstract class StepNode extends Node<Record> {
    /** How rows come in, and where they stand meanwhile. */
    protected final Intake intake;
    protected final Scope scope;
    private final Set<Key> seen;

    protected StepNode(Intake intake, Scope scope, boolean distinct, long skew) {
        super(skew);
        this.intake = intake;
        this.scope = scope;
        seen = distinct ? new HashSet<>() : null;
    }

    /** What becomes of the moment's rows. */
    protected abstract void take(long moment);

    /** A row of the step. */
    protected final void give(Record record) {
        // Rows are distinct among those of one moment: there is no other end of a stream's memory.
        if (seen == null || seen.add(new Key(record))) {
            rows.add(record);
        }
    }

    @Override
    public final void run(long moment) {
        take(moment);
        if (seen != null) {
            seen.clear();
        }
    }

    @Override
    public long next() {
        return intake.next();
    }

    @Override
    public Object current() {
        return scope.rows[0];
    }

    @Override
    public void save(StateWriter to) {
        intake.save(to);
    }

    @Override
    public void load(StateReader from) {
        intake.load(from);
    }
}
