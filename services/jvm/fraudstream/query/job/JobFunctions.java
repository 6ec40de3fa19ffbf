package fraudstream.query.job;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.contract.Contract;
import fraudstream.model.Champion;
import fraudstream.model.Ensemble;
import fraudstream.query.aggregates.UserAggregates;
import fraudstream.query.expressions.ProjectFunctions;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.python.PythonPool;
import fraudstream.query.scoring.ScoreFunction;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A project's functions in the stream job: its scripts, those in Python, and the model, which is the champion, or
 * somebody else who has answered for the event before the query sees it. Serves one thread at a time.
 */
public final class JobFunctions implements UserFunctions, UserAggregates {
    private static final String TRANSACTIONS = "transactions";

    private final UserFunctions scripts;
    /** Those in Python; null for none. */
    private final UserFunctions python;
    private final ScoreFunction model;
    private final Set<String> sources = new HashSet<>();
    private Ensemble champion;
    private Record answer;

    /**
     * Takes {@code functions}, scripts as {@link ProjectFunctions#of(JsonNode)} takes them, {@code python} as
     * {@link PythonPool#of} does, or null, and {@code models}: the names behind {@code udf.} of the model.
     */
    JobFunctions(JsonNode described) {
        this(described, null);
    }

    private JobFunctions(JsonNode described, UTF8String trees) {
        scripts = ProjectFunctions.of(described.get("functions"));
        python = described.hasNonNull("python") ? PythonPool.of(described.get("python")) : null;
        Supplier<Ensemble> decider = trees == null ? () -> champion : () -> Champion.of(trees);
        model = new ScoreFunction(Contract.CURRENT, decider, names(described.get("models")));
    }

    /**
     * For a query with windows: the same, the file of the {@code champion}, which is followed, and {@code sources}, the
     * names of functions that say where an event came from, as the canonical script does.
     */
    public static UserFunctions of(JsonNode described) {
        JobFunctions all = new JobFunctions(described, UTF8String.fromString(described.get("champion").asText()));
        all.sources.addAll(names(described.get("sources")));
        return all;
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
        return model.has(kind, name) || isSource(kind, name) || isPython(kind, name)
            || scripts != UserFunctions.NONE && scripts.has(kind, name);
    }

    private boolean isSource(String kind, String name) {
        return "udf".equals(kind) && sources.contains(name.toLowerCase(Locale.ROOT));
    }

    /** Of a partition, an offset and a moment of arrival. */
    private static Record source(Object[] arguments) {
        Object arrival = arguments[2];
        return Record.of(
            "topic", TRANSACTIONS, "partition", number(arguments[0]), "offset", number(arguments[1]), "enqueued_at",
            arrival instanceof Datetime ? ((Datetime) arrival).toMicroseconds() : arrival);
    }

    private static Object number(Object value) {
        return value instanceof String ? (Object) Long.valueOf((String) value) : value;
    }

    private boolean isPython(String kind, String name) {
        return python != null && python.has(kind, name);
    }

    @Override
    public Object call(String kind, String name, Object[] arguments) {
        if (isSource(kind, name)) {
            return source(arguments);
        }
        if (!model.has(kind, name)) {
            return (isPython(kind, name) ? python : scripts).call(kind, name, arguments);
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
