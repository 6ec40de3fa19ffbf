package fraudstream.query.windows;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.aggregates.Aggregate;
import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.List;

/** The windows of a step, as the plan describes them. */
public final class Windows {
    private Windows() {
    }

    /** Throws {@link PlanRefused} for a window that this engine does not have. */
    public static List<Window> of(JsonNode described, Aggregate[] aggregates, UserFunctions functions) {
        List<Window> windows = new ArrayList<>();
        for (JsonNode one : described) {
            windows.add(window(one, aggregates, functions));
        }
        return windows;
    }

    private static Window window(JsonNode described, Aggregate[] aggregates, UserFunctions functions) {
        Record label = new Record(1);
        label.add("Id", described.path("id").textValue());
        long size = described.path("size").asLong();
        long offset = described.path("offset").asLong();
        String kind = described.get("kind").asText();
        return switch (kind) {
            case "tumbling" -> new Hopping(aggregates, label, size, size, offset);
            case "hopping" -> new Hopping(aggregates, label, size, described.get("hop").asLong(), offset);
            case "snapshot" -> new Hopping(aggregates, label, 1, 1, 0);
            case "sliding" -> new Sliding(aggregates, label, size);
            case "session" -> new Session(
                aggregates, label, described.get("timeout").asLong(),
                described.path("max").isNumber() ? described.get("max").asLong() : Long.MAX_VALUE,
                new ExpressionList(described.path("partition"), functions)
            );
            default -> throw new PlanRefused(kind + " is not a window of this engine.", 0, 0);
        };
    }
}
