package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.Numbers;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Values;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/** Operators on numbers, bits and texts. */
final class Arithmetic {
    private Arithmetic() {
    }

    /** The operation of an operator with two values, or null for another operator. */
    static Expression binary(JsonNode node, String operator, Expression left, Expression right) {
        switch (operator) {
            case "+":
                return binary(node, left, right, Arithmetic::sum);
            case "-":
                return binary(node, left, right, Numbers::subtract);
            case "*":
                return binary(node, left, right, Numbers::multiply);
            case "/":
                return binary(node, left, right, Numbers::divide);
            case "%":
                return binary(node, left, right, Numbers::remainder);
            case "&":
            case "|":
            case "^":
                return binary(node, left, right, (first, second) -> bits(operator.charAt(0), first, second));
            default:
                return null;
        }
    }

    /** The operation of an operator with one value, or null for another operator. */
    static Expression unary(JsonNode node, String operator, Expression argument) {
        switch (operator) {
            case "neg":
                return unary(node, argument, Numbers::negate);
            case "~":
                return unary(node, argument, Arithmetic::complement);
            default:
                return null;
        }
    }

    private static Expression binary(JsonNode node, Expression left, Expression right, BinaryOperator<Object> made) {
        return new Node(node) {
            @Override
            Object computed(Scope scope) {
                return made.apply(left.value(scope), right.value(scope));
            }
        };
    }

    private static Expression unary(JsonNode node, Expression argument, UnaryOperator<Object> made) {
        return new Node(node) {
            @Override
            Object computed(Scope scope) {
                return made.apply(argument.value(scope));
            }
        };
    }

    private static Object sum(Object left, Object right) {
        if (left instanceof String && right instanceof String) {
            Values.checkLength((long) ((String) left).length() + ((String) right).length());
            return (String) left + right;
        }
        return Numbers.add(left, right);
    }

    private static Object bits(char operator, Object left, Object right) {
        if (left == null || right == null) {
            return null;
        }
        long first = integer(left);
        long second = integer(right);
        long made = operator == '&' ? first & second : operator == '|' ? first | second : first ^ second;
        return left instanceof Boolean && right instanceof Boolean ? (Object) (made != 0) : (Object) made;
    }

    private static Object complement(Object value) {
        return value == null ? null : value instanceof Boolean ? (Object) !(Boolean) value : (Object) ~integer(value);
    }

    private static long integer(Object value) {
        if (value instanceof Long || value instanceof Boolean) {
            return Numbers.integer(value);
        }
        throw new QueryStopped(Values.shownFirst(value) + " has no bits to work on. CAST it to bigint.");
    }
}
