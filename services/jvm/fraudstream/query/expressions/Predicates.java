package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.Casts;
import fraudstream.query.values.Comparisons;
import fraudstream.query.values.LikePattern;

/** Comparisons, BETWEEN, IN and LIKE. */
final class Predicates {
    private static final int BELOW = 1;
    private static final int EQUAL = 2;
    private static final int ABOVE = 4;

    private Predicates() {
    }

    /** The comparison of an operator, or null for another operator. */
    static Expression comparison(String operator, Expression left, Expression right) {
        switch (operator) {
            case "=":
                return comparison(EQUAL, left, right);
            case "<>":
            case "!=":
                return comparison(BELOW | ABOVE, left, right);
            case "<":
                return comparison(BELOW, left, right);
            case "<=":
                return comparison(BELOW | EQUAL, left, right);
            case ">":
                return comparison(ABOVE, left, right);
            case ">=":
                return comparison(ABOVE | EQUAL, left, right);
            default:
                return null;
        }
    }

    private static Expression comparison(int allowed, Expression left, Expression right) {
        return scope -> holds(Comparisons.order(left.value(scope), right.value(scope)), allowed);
    }

    private static Boolean holds(int order, int allowed) {
        if (order == Comparisons.UNKNOWN) {
            return null;
        }
        if (order == Comparisons.DIFFERENT) {
            // Records and arrays are equal or not, and have no order.
            return allowed == EQUAL ? Boolean.FALSE : allowed == (BELOW | ABOVE) ? Boolean.TRUE : null;
        }
        return (allowed & (order < 0 ? BELOW : order == 0 ? EQUAL : ABOVE)) != 0;
    }

    static Expression between(Expression value, Expression low, Expression high, boolean isNegated) {
        return scope -> {
            Object tested = value.value(scope);
            Boolean above = holds(Comparisons.order(tested, low.value(scope)), ABOVE | EQUAL);
            Boolean below = holds(Comparisons.order(tested, high.value(scope)), BELOW | EQUAL);
            Boolean isBetween = Boolean.FALSE.equals(above) || Boolean.FALSE.equals(below) ? Boolean.FALSE
                : above == null || below == null ? null : Boolean.TRUE;
            return isNegated ? Logic.not(isBetween) : isBetween;
        };
    }

    /** Whether the first of the values is equal to one of the others. */
    static Expression in(Expression[] values, boolean isNegated) {
        return scope -> {
            Object tested = values[0].value(scope);
            Boolean found = Boolean.FALSE;
            for (int place = 1; place < values.length; place++) {
                Boolean isEqual = Comparisons.areEqual(tested, values[place].value(scope));
                if (isEqual == null) {
                    found = null;
                } else if (isEqual) {
                    found = Boolean.TRUE;
                    break;
                }
            }
            return isNegated ? Logic.not(found) : found;
        };
    }

    static Expression like(JsonNode node, Expression value, Expression pattern, Expression escape) {
        boolean isNegated = node.path("negated").asBoolean();
        return new Node(node) {
            private LikePattern last;

            @Override
            Object computed(Scope scope) {
                Object text = value.value(scope);
                Object like = pattern.value(scope);
                Object escaping = escape == null ? null : escape.value(scope);
                if (text == null || like == null || escape != null && escaping == null) {
                    return null;
                }
                LikePattern compiled =
                    LikePattern.of(last, Casts.text(like), escaping == null ? null : Casts.text(escaping));
                last = compiled;
                return compiled.matches(Casts.text(text)) != isNegated;
            }
        };
    }
}
