package fraudstream.spark;

import org.apache.spark.sql.connector.catalog.functions.BoundFunction;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * A function that Spark's generated code calls by a subclass's static method {@code invoke}, with values as Spark
 * holds them: no row is converted on the way in or out, as it is for user-defined functions.
 */
public abstract class Function implements UnboundFunction, ScalarFunction {
    private final String name;
    private final DataType[] inputs;
    private final StructType result;

    Function(String name, DataType[] inputs) {
        this.name = name;
        this.inputs = inputs;
        result = StructType.fromDDL((String) Contract.CURRENT.schemas.get(name));
    }

    public String name() {
        return name;
    }

    public String canonicalName() {
        return "fraudstream." + name;
    }

    public String description() {
        return canonicalName();
    }

    public BoundFunction bind(StructType given) {
        return this;
    }

    public DataType[] inputTypes() {
        return inputs;
    }

    public DataType resultType() {
        return result;
    }

    public boolean isResultNullable() {
        return false;
    }

    /** Answers carry the time, and the champion changes: a record is taken once. */
    public boolean isDeterministic() {
        return false;
    }
}
