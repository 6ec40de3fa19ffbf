package fraudstream.spark;

import fraudstream.contract.Contract;
import org.apache.spark.sql.connector.catalog.functions.BoundFunction;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * A function that Spark's generated code calls by a subclass's static method {@code invoke}, with values as Spark
 * holds them: no row is converted on the way in or out, as it is for user-defined functions.
 */
public abstract class Function implements UnboundFunction, ScalarFunction<Object> {
    private final String name;
    private final DataType[] inputs;
    private final DataType result;

    Function(String name, DataType... inputs) {
        this.name = name;
        this.inputs = inputs;
        result = DataType.fromDDL(Contract.CURRENT.schema(name));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String canonicalName() {
        return "fraudstream." + name;
    }

    @Override
    public String description() {
        return canonicalName();
    }

    @Override
    public BoundFunction bind(StructType given) {
        return this;
    }

    @Override
    public DataType[] inputTypes() {
        return inputs;
    }

    @Override
    public DataType resultType() {
        return result;
    }

    @Override
    public boolean isResultNullable() {
        return false;
    }

    /** False, so that Spark calls it once a record: results carry the time, and the champion changes. */
    @Override
    public boolean isDeterministic() {
        return false;
    }
}
