package fraudstream.query.operators;

import fraudstream.query.expressions.Scope;
import java.util.function.UnaryOperator;

/** A step that filters and projects rows. */
public final class Select extends StepNode {
    private final Stage first;

    /** {@code stages} puts the step's stages before the last one, which projects. */
    public Select(
        Intake intake, Scope scope, UnaryOperator<Stage> stages, Projection projection, boolean distinct, long skew
    ) {
        super(intake, scope, distinct, skew);
        first = stages.apply(row -> give(projection.of(row)));
    }

    @Override
    protected void take(long moment) {
        intake.each(moment, scope, first);
    }
}
