package fraudstream.query.analytics;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.aggregates.Place;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.state.Stateful;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The analytic functions of a step: values of each row that depend on the rows before it. */
public final class Analytics implements Stateful {
    private final List<Analytic> functions = new ArrayList<>();

    /**
     * {@code isText} tells of an expression whether the query makes it a text. Throws {@code PlanRefused} for a
     * function that this engine does not have.
     */
    public Analytics(JsonNode described, UserFunctions users, Predicate<JsonNode> isText) {
        for (JsonNode one : described) {
            functions.add(of(one, users, isText));
        }
    }

    private static Analytic of(JsonNode described, UserFunctions users, Predicate<JsonNode> isText) {
        return switch (described.get("f").asText()) {
            case "lag", "last" -> new Lag(described, users);
            case "isfirst" -> new IsFirst(described, users);
            case "anomalydetection_spikeanddip", "anomalydetection_changepoint" ->
                new Anomaly(described, users, Place.of(described));
            default -> new Over(described, users, isText.test(described.path("args").path(0)));
        };
    }

    /** The functions' values for a row in their order; null if there are none. */
    public Object[] of(Scope row) {
        if (functions.isEmpty()) {
            return null;
        }
        Object[] values = new Object[functions.size()];
        int at = 0;
        for (Analytic function : functions) {
            values[at++] = function.value(row);
        }
        return values;
    }

    @Override
    public void save(StateWriter to) {
        functions.forEach(function -> function.save(to));
    }

    @Override
    public void load(StateReader from) {
        functions.forEach(function -> function.load(from));
    }
}
