package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.InvocationTargetException;

/** The functions that a project brings with it, by the engine that runs their language. */
public final class ProjectFunctions {
    // In a jar of its own, as most projects have no functions and need no JavaScript.
    private static final String ENGINE = "fraudstream.query.javascript.JavaScript";

    private ProjectFunctions() {
    }

    /** Takes the scripts' texts by kind and name, {@code {"udf": {"score": "function main…"}, "uda": {…}}}, or null. */
    public static UserFunctions of(JsonNode texts) {
        if (texts == null || texts.path("udf").isEmpty() && texts.path("uda").isEmpty()) {
            return UserFunctions.NONE;
        }
        return of(ENGINE, texts);
    }

    /** The functions that a class of this name makes of a text or object, by its static method {@code of}. */
    public static UserFunctions of(String className, JsonNode texts) {
        try {
            ClassLoader loader = Thread.currentThread().getContextClassLoader();
            ClassLoader known = loader != null ? loader : ClassLoader.getSystemClassLoader();
            Class<?> engine = Class.forName(className, true, known);
            return (UserFunctions) engine.getMethod("of", JsonNode.class).invoke(null, texts);
        } catch (InvocationTargetException error) {
            if (error.getCause() instanceof RuntimeException) {
                throw (RuntimeException) error.getCause();
            }
            throw new IllegalStateException(error.getCause());
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("The jar with " + className + " is not on the class path.", error);
        }
    }
}
