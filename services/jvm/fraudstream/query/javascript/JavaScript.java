package fraudstream.query.javascript;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.aggregates.UserAggregates;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** The functions and aggregates of a project that are written in JavaScript. Serves one thread at a time. */
public final class JavaScript implements UserFunctions, UserAggregates {
    private final Map<String, Script> scripts = new HashMap<>();

    private JavaScript() {
    }

    /**
     * Takes the scripts' texts by kind and name: {@code {"udf": {"score": "function main…"}, "uda": {…}}}. Throws
     * {@link PlanRefused} for a text that is no script with a function main.
     */
    public static JavaScript of(JsonNode texts) {
        JavaScript made = new JavaScript();
        Sandbox sandbox = new Sandbox();
        texts.fields().forEachRemaining(kind -> kind.getValue().fields().forEachRemaining(script -> {
            String name = kind.getKey() + "." + script.getKey();
            made.scripts.put(name.toLowerCase(Locale.ROOT), new Script(name, script.getValue().asText(), sandbox));
        }));
        return made;
    }

    @Override
    public boolean has(String kind, String name) {
        return script(kind, name) != null;
    }

    @Override
    public Object call(String kind, String name, Object[] arguments) {
        Script script = script(kind, name);
        if (script == null) {
            throw new QueryStopped(kind + "." + name + " is not among the project's functions.");
        }
        return script.call(arguments);
    }

    @Override
    public Supplier<State> aggregate(String name) {
        Script script = script("uda", name);
        if (script == null) {
            throw new PlanRefused("uda." + name + " is not among the project's functions.", 0, 0);
        }
        return script::state;
    }

    private Script script(String kind, String name) {
        return scripts.get((kind + "." + name).toLowerCase(Locale.ROOT));
    }
}
