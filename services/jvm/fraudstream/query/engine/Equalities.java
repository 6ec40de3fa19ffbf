package fraudstream.query.engine;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.operators.Join.Condition;
import fraudstream.query.values.Moments;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The pairs of a join's condition by which rows are looked up: equal values of the joined rows and of the new one. */
final class Equalities {
    private static final int UNKNOWN = -1;
    // Shorter texts, and texts without a hyphen here, are no moments.
    private static final int DATE_LENGTH = 10;
    private static final int HYPHEN = 4;

    private final int place;
    private final UserFunctions functions;
    private final List<Expression> left = new ArrayList<>();
    private final List<Expression> right = new ArrayList<>();

    private Equalities(int place, UserFunctions functions) {
        this.place = place;
        this.functions = functions;
    }

    /** What {@code on}, which may be null, asks of the source at {@code place} and those before it. */
    static Condition of(JsonNode on, int place, UserFunctions functions) {
        Equalities found = new Equalities(place, functions);
        Expression whole = null;
        if (on.isObject()) {
            found.search(on);
            whole = Expressions.of(on, functions);
        }
        return new Condition(whole, found.left.toArray(Expression[]::new), found.right.toArray(Expression[]::new));
    }

    private void search(JsonNode condition) {
        String operator = condition.path("op").asText();
        if (operator.equals("and")) {
            condition.get("args").forEach(this::search);
        } else if (operator.equals("=")) {
            JsonNode first = condition.get("args").get(0);
            JsonNode second = condition.get("args").get(1);
            if (isOf(second, true) && isOf(first, false)) {
                add(first, second);
            } else if (isOf(first, true) && isOf(second, false)) {
                add(second, first);
            }
        }
    }

    private void add(JsonNode old, JsonNode added) {
        left.add(bucket(Expressions.of(old, functions)));
        right.add(bucket(Expressions.of(added, functions)));
    }

    /** A text may be equal to the datetime that it names; both lie in one place of the index. */
    private static Expression bucket(Expression expression) {
        return scope -> {
            Object value = expression.value(scope);
            if (value instanceof String text && text.length() >= DATE_LENGTH && text.charAt(HYPHEN) == '-') {
                Object moment = Moments.read(text);
                return moment == null ? text : moment;
            }
            return value;
        };
    }

    /** Whether an expression sees the added source alone, or the others alone. */
    private boolean isOf(JsonNode expression, boolean added) {
        Set<Integer> sources = new HashSet<>();
        collect(expression, sources);
        return !sources.isEmpty() && sources.stream().allMatch(one -> one != UNKNOWN && (one == place) == added);
    }

    private static void collect(JsonNode node, Set<Integer> sources) {
        switch (node.path("e").asText()) {
            case "field" -> node.get("sources").forEach(source -> sources.add(source.asInt()));
            case "row" -> sources.add(node.get("source").asInt());
            case "time" -> sources.add(node.path("source").asInt(UNKNOWN));
            case "slot" -> sources.add(0);
            case "udf", "window" -> sources.add(UNKNOWN);
            default -> {
                for (JsonNode below : node) {
                    collect(below, sources);
                }
            }
        }
    }
}
