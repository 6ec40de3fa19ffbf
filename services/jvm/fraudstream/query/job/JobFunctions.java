package fraudstream.query.job;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.contract.Contract;
import fraudstream.model.Champion;
import fraudstream.model.Ensemble;
import fraudstream.query.aggregates.UserAggregates;
import fraudstream.query.expressions.ProjectFunctions;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.scoring.ScoreFunction;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A project's functions in the stream job: its scripts, and the model, which is the champion, or somebody else who has
 * answered for the event before the query sees it. Serves one thread at a time.
 */
public final class JobFunctions implements UserFunctions, UserAggregates {
    private final UserFunctions scripts;
    private final ScoreFunction model;
    private Ensemble champion;
    private Record answer;

    /** Takes scripts as {@link ProjectFunctions#of(JsonNode)} does, and the names behind {@code udf.} of the model. */
    JobFunctions(JsonNode scripts, JsonNode models) {
        this.scripts = ProjectFunctions.of(scripts);
        model = new ScoreFunction(Contract.CURRENT, () -> champion, names(models));
    }

    private JobFunctions(JsonNode scripts, JsonNode models, UTF8String trees) {
        this.scripts = ProjectFunctions.of(scripts);
        model = new ScoreFunction(Contract.CURRENT, () -> Champion.of(trees), names(models));
    }

    /** For a query with windows: {@code scripts}, {@code models}, and the file of the {@code champion}, which is followed. */
    public static UserFunctions of(JsonNode described) {
        UTF8String trees = UTF8String.fromString(described.get("champion").asText());
        return new JobFunctions(described.get("scripts"), described.get("models"), trees);
    }

    private static List<String> names(JsonNode models) {
        List<String> names = new ArrayList<>();
        models.forEach(name -> names.add(name.asText()));
        return names;
    }

    /** From now on the champion decides, or this is the decision; one of the two is null. */
    void use(Ensemble decider, Record decision) {
        champion = decider;
        answer = decision;
    }

    @Override
    public boolean has(String kind, String name) {
        return model.has(kind, name) || scripts != UserFunctions.NONE && scripts.has(kind, name);
    }

    @Override
    public Object call(String kind, String name, Object[] arguments) {
        if (!model.has(kind, name)) {
            return scripts.call(kind, name, arguments);
        }
        return answer != null ? answer : model.call(kind, name, arguments);
    }

    @Override
    public Supplier<State> aggregate(String name) {
        if (scripts instanceof UserAggregates aggregates) {
            return aggregates.aggregate(name);
        }
        throw new PlanRefused("uda." + name + " is not among the project's functions.", 0, 0);
    }
}
