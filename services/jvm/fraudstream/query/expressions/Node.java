package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.QueryStopped;

/** An expression that may stop the query, with its place in the query's text. */
abstract class Node implements Expression {
    private final int line;
    private final int column;

    Node(JsonNode node) {
        JsonNode place = node.path("pos");
        line = place.path(0).asInt();
        column = place.path(1).asInt();
    }

    abstract Object computed(Scope scope);

    @Override
    public final Object value(Scope scope) {
        try {
            return computed(scope);
        } catch (QueryStopped stopped) {
            throw stopped.at(line, column);
        }
    }
}
