package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Values;

/** Truths of three kinds: true, false, and null for unknown. What is decided is not evaluated further. */
final class Logic {
    private Logic() {
    }

    static Boolean truth(Object value) {
        if (value == null || value instanceof Boolean) {
            return (Boolean) value;
        }
        throw new QueryStopped(Values.shownFirst(value) + " is no condition. Compare it with a value.");
    }

    static Boolean not(Boolean truth) {
        return truth == null ? null : (Boolean) !truth;
    }

    /** AND where {@code deciding} is false, OR where it is true. */
    static Expression junction(JsonNode node, Expression[] terms, Boolean deciding) {
        return new Node(node) {
            @Override
            Object computed(Scope scope) {
                boolean isUnknown = false;
                for (Expression term : terms) {
                    Boolean truth = truth(term.value(scope));
                    if (truth == null) {
                        isUnknown = true;
                    } else if (truth.equals(deciding)) {
                        return deciding;
                    }
                }
                return isUnknown ? null : not(deciding);
            }
        };
    }

    static Expression negation(JsonNode node, Expression term) {
        return new Node(node) {
            @Override
            Object computed(Scope scope) {
                return not(truth(term.value(scope)));
            }
        };
    }
}
