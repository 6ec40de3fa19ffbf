package fraudstream.query.analytics;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import java.util.ArrayDeque;

/** LAG, the value of an earlier row, and LAST, that of the latest one, which may be the row itself. */
final class Lag extends Analytic {
    private final Expression argument;
    private final Expression otherwise;
    private final int offset;
    private final boolean last;

    Lag(JsonNode described, UserFunctions functions) {
        super(described, functions);
        argument = Expressions.of(described.get("args").get(0), functions);
        JsonNode fallback = described.path("default");
        otherwise = fallback.isObject() ? Expressions.of(fallback, functions) : null;
        last = described.get("f").asText().equals("last");
        offset = last ? 1 : described.path("offset").asInt(1);
    }

    @Override
    State make() {
        return new Pasts();
    }

    @Override
    Object value(Scope row, State state, boolean counts) {
        ArrayDeque<Pasts.Past> rows = ((Pasts) state).rows;
        while (limit != Long.MAX_VALUE && !rows.isEmpty() && rows.peek().time() <= row.time - limit) {
            rows.poll();
        }
        if (last && counts) {
            add(rows, row);
        }
        Pasts.Past past = rows.size() < offset ? null : rows.peek();
        Object value = past != null ? past.value() : otherwise == null ? null : otherwise.value(row);
        if (!last && counts) {
            add(rows, row);
        }
        return value;
    }

    private void add(ArrayDeque<Pasts.Past> rows, Scope row) {
        if (rows.size() == offset) {
            rows.poll();
        }
        rows.add(new Pasts.Past(row.time, argument.value(row)));
    }
}
