package fraudstream.query.aggregates;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Values;

/** Where something stands in a query, and its name, for what has to be said about it. */
public record Place(String name, int line, int column) {
    /** The place of an aggregate, or that of its first argument. */
    public static Place of(JsonNode described) {
        JsonNode pos = described.path("pos");
        if (!pos.isArray()) {
            pos = described.path("args").path(0).path("pos");
        }
        return new Place(described.path("f").asText().toUpperCase(java.util.Locale.ROOT), pos.path(0).asInt(),
            pos.path(1).asInt());
    }

    PlanRefused refused(String message) {
        return new PlanRefused(message, line, column);
    }

    QueryStopped stopped(String message) {
        return new QueryStopped(message, line, column, null);
    }

    /** A sample that has to be a number. Throws {@link QueryStopped}. */
    public Number number(Object sample) {
        if (sample instanceof Long || sample instanceof Double) {
            return (Number) sample;
        }
        throw stopped(name + " takes bigint or float, not " + Values.type(sample) + ". CAST the value first.");
    }
}
