package fraudstream.query.javascript;

import java.util.Set;
import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.SymbolKey;

/**
 * JavaScript's global objects, without what the interpreter would do in one go for hours: nobody can stop it within a
 * single call of its library. Lists and texts have bounds there; BigInt and Proxy are missing.
 */
final class Globals {
    private static final long MOST_ELEMENTS = 1L << 22;
    private static final long MOST_UNITS = 1L << 26;
    /** Of a search: the text's length times that of what is looked for. */
    private static final double MOST_COMPARISONS = 1L << 34;
    private static final Set<String> MISSING = Set.of("BigInt", "BigInt64Array", "BigUint64Array", "Proxy");
    private static final Set<String> SEARCHES =
        Set.of("indexOf", "lastIndexOf", "includes", "split", "replace", "replaceAll");
    private static final Set<String> REPETITIONS = Set.of("repeat", "padStart", "padEnd");
    private static final Set<String> CALLS = Set.of("apply", "construct");
    // In JavaScript, whose every turn is counted: lists that stand in one another have more elements than anybody can
    // wait for.
    private static final String COUNTED = """
        (function (prototype) {
            function into(flat, list, depth) {
                for (var place = 0; place < list.length; place++) {
                    if (place in list && depth > 0 && Array.isArray(list[place])) {
                        into(flat, list[place], depth - 1);
                    } else if (place in list) {
                        flat.push(list[place]);
                    }
                }
                return flat;
            }
            var counted = {
                flat: function flat(depth) {
                    return into([], this, depth === undefined ? 1 : Number(depth));
                },
                join: function join(separator) {
                    var glue = separator === undefined ? ',' : String(separator);
                    var text = '';
                    for (var place = 0; place < this.length; place++) {
                        var value = this[place];
                        text += (place > 0 ? glue : '') + (value === null || value === undefined ? '' : String(value));
                    }
                    return text;
                },
                toString: function toString() {
                    return this.join();
                }
            };
            Object.keys(counted).forEach(function (name) {
                Object.defineProperty(prototype, name, {value: counted[name], writable: true, configurable: true});
            });
        })""";

    private Globals() {
    }

    /** What is looked at before a call: what {@code this} is, and the arguments, which may be replaced. */
    private interface Bound {
        void check(Scriptable target, Object[] arguments);
    }

    static ScriptableObject of(Context context) {
        ScriptableObject scope = context.initSafeStandardObjects(null, false);
        MISSING.forEach(scope::delete);
        ScriptableObject lists = prototype(scope, "Array");
        Function counted = (Function) context.evaluateString(scope, COUNTED, "counted", 1, null);
        counted.call(context, scope, scope, new Object[] {lists});
        for (Object id : lists.getAllIds()) {
            bind(scope, lists, id.toString(), Globals::checkLists);
        }
        BaseFunction elements = (BaseFunction) lists.get(SymbolKey.ITERATOR, lists);
        lists.defineProperty(
            SymbolKey.ITERATOR, new Bounded(scope, elements, Globals::checkLists), ScriptableObject.DONTENUM);
        bind(scope, (ScriptableObject) scope.get("Array", scope), "from", Globals::checkLists);
        bind(scope, prototype(scope, "Function"), "apply", Globals::checkLists);
        CALLS.forEach(name -> bind(scope, (ScriptableObject) scope.get("Reflect", scope), name, Globals::checkLists));
        ScriptableObject texts = prototype(scope, "String");
        SEARCHES.forEach(name -> bind(scope, texts, name, Globals::checkSearch));
        REPETITIONS.forEach(name -> bind(scope, texts, name, Globals::checkRepetition));
        ((ScriptableObject) scope.get("String", scope)).delete("raw");
        ScriptableObject views = prototype(scope, "DataView");
        views.delete("getBigInt64");
        views.delete("getBigUint64");
        return scope;
    }

    private static ScriptableObject prototype(ScriptableObject scope, String kind) {
        Scriptable maker = (Scriptable) scope.get(kind, scope);
        return (ScriptableObject) ScriptableObject.getProperty(maker, "prototype");
    }

    private static void bind(ScriptableObject scope, ScriptableObject object, String name, Bound bound) {
        Object real = object.get(name, object);
        if (real instanceof BaseFunction && !name.equals("constructor")) {
            object.defineProperty(name, new Bounded(scope, (BaseFunction) real, bound), ScriptableObject.DONTENUM);
        }
    }

    private static void checkLists(Scriptable target, Object[] arguments) {
        checkLength(target);
        for (Object argument : arguments) {
            checkLength(argument);
        }
    }

    private static void checkLength(Object list) {
        if (!(list instanceof ScriptableObject) || list instanceof Function) {
            return;
        }
        Object length = ScriptableObject.getProperty((ScriptableObject) list, "length");
        // What is computed could be small now and large a moment later.
        boolean isComputed = length instanceof Scriptable;
        for (Scriptable at = (ScriptableObject) list; at instanceof ScriptableObject; at = at.getPrototype()) {
            isComputed |= ((ScriptableObject) at).getGetterOrSetter("length", 0, at, false) instanceof Function;
        }
        if (isComputed || length != Scriptable.NOT_FOUND && ScriptRuntime.toNumber(length) > MOST_ELEMENTS) {
            throw ScriptRuntime.rangeError("A list has at most " + MOST_ELEMENTS
                + " elements here, and no length that is computed");
        }
    }

    private static void checkSearch(Scriptable target, Object[] arguments) {
        if (arguments.length > 0 && arguments[0] instanceof Scriptable
            && !((Scriptable) arguments[0]).getClassName().equals("RegExp")) {
            arguments[0] = ScriptRuntime.toString(arguments[0]);
        }
        boolean isText = arguments.length > 0 && arguments[0] instanceof CharSequence;
        if (isText && (double) length(target) * ((CharSequence) arguments[0]).length() > MOST_COMPARISONS) {
            throw ScriptRuntime.rangeError("These texts are too long to look for one in the other");
        }
    }

    private static void checkRepetition(Scriptable target, Object[] arguments) {
        if (arguments.length == 0) {
            return;
        }
        double count = ScriptRuntime.toNumber(arguments[0]);
        arguments[0] = count;
        if (count * Math.max(1, length(target)) > MOST_UNITS) {
            throw ScriptRuntime.rangeError("A text has at most " + MOST_UNITS + " characters here");
        }
    }

    private static int length(Scriptable text) {
        return ScriptRuntime.toString(text).length();
    }

    /** A function of the library that looks at its arguments first. */
    private static final class Bounded extends BaseFunction {
        private static final long serialVersionUID = 1L;

        private final transient BaseFunction real;
        private final transient Bound bound;

        Bounded(ScriptableObject scope, BaseFunction real, Bound bound) {
            super(scope, ScriptableObject.getFunctionPrototype(scope));
            this.real = real;
            this.bound = bound;
        }

        @Override
        public Object call(Context context, Scriptable scope, Scriptable target, Object[] arguments) {
            bound.check(target, arguments);
            return real.call(context, scope, target, arguments);
        }

        @Override
        public String getFunctionName() {
            return real.getFunctionName();
        }

        @Override
        public int getArity() {
            return real.getArity();
        }

        @Override
        public int getLength() {
            return real.getLength();
        }
    }
}
