package fraudstream.query.operators;

import fraudstream.query.expressions.Scope;
import fraudstream.query.values.Record;
import java.util.function.UnaryOperator;

/** A step that filters and projects rows. */
public final class Select extends StepNode {
    private final Stage first;

    /** {@code stages} puts the step's stages before the last one, which projects. */
    public Select(
        Intake intake, Scope scope, UnaryOperator<Stage> stages, Projection projection, boolean distinct, long skew
    ) {
        super(intake, scope, distinct, skew);
        first = stages.apply(row -> give(projected(projection, row)));
    }

    /** The row, with the metadata of the event that it comes from: whoever sets it aside has to name that. */
    private static Record projected(Projection projection, Scope row) {
        Record made = projection.of(row);
        Record source = row.rows[0];
        if (source != null && source.metadata() != null && made.metadata() == null) {
            made.setMetadata(source.metadata());
        }
        return made;
    }

    @Override
    protected void take(long moment) {
        intake.each(moment, scope, first);
    }
}
