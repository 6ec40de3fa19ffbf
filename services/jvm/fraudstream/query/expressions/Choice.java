package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;

/** CASE and COALESCE: only what is chosen is evaluated. */
final class Choice {
    private Choice() {
    }

    /** Bigints of the branches become floats where the type of another branch is known to be float. */
    static Expression cases(JsonNode node, Expression[] conditions, Expression[] results, Expression otherwise) {
        boolean isFloat = otherwise != null && StaticTypes.isFloat(node.get("else"));
        for (JsonNode when : node.get("whens")) {
            isFloat |= StaticTypes.isFloat(when.get(1));
        }
        boolean makesFloats = isFloat;
        return new Node(node) {
            @Override
            Object computed(Scope scope) {
                Expression chosen = otherwise;
                for (int place = 0; place < conditions.length; place++) {
                    if (Expressions.isTrue(conditions[place].value(scope))) {
                        chosen = results[place];
                        break;
                    }
                }
                Object value = chosen == null ? null : chosen.value(scope);
                return makesFloats && value instanceof Long ? (Object) (double) (Long) value : value;
            }
        };
    }

    static Expression coalesce(Expression[] values) {
        return scope -> {
            for (Expression value : values) {
                Object found = value.value(scope);
                if (found != null) {
                    return found;
                }
            }
            return null;
        };
    }
}
