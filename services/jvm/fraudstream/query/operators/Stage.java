package fraudstream.query.operators;

import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;

/** What becomes of a row within one step: it goes from stage to stage, and any stage may drop or multiply it. */
public interface Stage {
    void take(Scope scope);

    /** Hands on the rows for which the condition holds; all if it is null. */
    static Stage where(Expression condition, Stage next) {
        if (condition == null) {
            return next;
        }
        return scope -> {
            if (Expressions.isTrue(condition.value(scope))) {
                next.take(scope);
            }
        };
    }
}
