package fraudstream.query.javascript;

import fraudstream.query.aggregates.UserAggregates;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/**
 * One file of JavaScript: a function main, or one of the script's own name, which pages of the service's documentation
 * show. Its global variables are its own.
 */
final class Script {
    private static final String ENTRY = "main";
    private static final String MAKER = "(function (kind) { return new kind(); })";

    private final String name;
    private final Sandbox sandbox;
    private final ScriptableObject scope;
    private final Function main;
    private Function maker;
    private States states;

    /** The name is that of the calls: {@code udf.score}. Throws {@link PlanRefused} if the text is no such script. */
    Script(String name, String text, Sandbox sandbox) {
        this.name = name;
        this.sandbox = sandbox;
        ScriptableObject[] made = new ScriptableObject[1];
        Object found;
        try {
            found = sandbox.run(name, context -> {
                made[0] = Globals.of(context);
                context.evaluateString(made[0], Loops.withLet(text), name, 1, null);
                return entry(made[0], name.substring(name.indexOf('.') + 1));
            });
        } catch (QueryStopped error) {
            throw new PlanRefused(error.getMessage(), 0, 0);
        }
        if (!(found instanceof Function)) {
            throw new PlanRefused(name + " has no function main.", 0, 0);
        }
        scope = made[0];
        main = (Function) found;
    }

    /** The function that calls begin with; what is no function where there is none. */
    private static Object entry(ScriptableObject scope, String alias) {
        Object main = ScriptableObject.getProperty(scope, ENTRY);
        if (main instanceof Function) {
            return main;
        }
        for (Object id : scope.getIds()) {
            if (alias.equalsIgnoreCase(id.toString())) {
                return ScriptableObject.getProperty(scope, id.toString());
            }
        }
        return main;
    }

    Object call(Object[] arguments) {
        return sandbox.run(name, context -> {
            Conversions conversions = new Conversions(context, scope);
            return conversions.fromScript(main.call(context, scope, scope, conversions.toScript(arguments)));
        });
    }

    /** A new state of the aggregate that main makes. */
    UserAggregates.State state() {
        Scriptable made = (Scriptable) sandbox.run(name, context -> {
            if (maker == null) {
                maker = (Function) context.evaluateString(scope, MAKER, name, 1, null);
            }
            Scriptable state = (Scriptable) maker.call(context, scope, scope, new Object[] {main});
            method(context, state, "init", new Object[0]);
            return state;
        });
        return new State(made);
    }

    private Object method(Context context, Scriptable state, String method, Object[] arguments) {
        Object found = ScriptableObject.getProperty(state, method);
        if (!(found instanceof Function)) {
            throw new QueryStopped(name + " has no method " + method + ".");
        }
        return ((Function) found).call(context, scope, state, arguments);
    }

    private States states(Context context) {
        if (states == null) {
            states = new States(context, scope);
        }
        return states;
    }

    private final class State implements UserAggregates.State {
        private final Scriptable state;

        State(Scriptable state) {
            this.state = state;
        }

        @Override
        public void accumulate(Object value, long ticks) {
            sandbox.run(name, context -> {
                Object[] arguments = {value, new Datetime(ticks)};
                return method(context, state, "accumulate", new Conversions(context, scope).toScript(arguments));
            });
        }

        @Override
        public Object result() {
            return sandbox.run(name, context -> new Conversions(context, scope)
                .fromScript(method(context, state, "computeResult", new Object[0])));
        }

        @Override
        public Object save() {
            return sandbox.run(name, context -> states(context).saved(context, state));
        }

        @Override
        public void load(Object saved) {
            sandbox.run(name, context -> {
                states(context).load(context, state, (String) saved);
                return null;
            });
        }
    }
}
