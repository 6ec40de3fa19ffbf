package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.Key;
import java.util.ArrayList;
import java.util.List;

/** Several expressions of one row, such as the keys of a group. */
public final class ExpressionList {
    private final List<Expression> all = new ArrayList<>();

    /** The expressions of an array of a plan; none where there is no array. Throws {@code PlanRefused}. */
    public ExpressionList(JsonNode described, UserFunctions functions) {
        for (JsonNode one : described) {
            all.add(Expressions.of(one, functions));
        }
    }

    public int size() {
        return all.size();
    }

    public Expression get(int place) {
        return all.get(place);
    }

    public Object[] values(Scope scope) {
        Object[] values = new Object[all.size()];
        for (int at = 0; at < values.length; at++) {
            values[at] = all.get(at).value(scope);
        }
        return values;
    }

    /** The values as a key; the empty key without expressions. */
    public Key key(Scope scope) {
        return all.isEmpty() ? Key.EMPTY : new Key(values(scope));
    }
}
