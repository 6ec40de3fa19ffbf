package fraudstream.spark;

import java.util.List;
import org.apache.spark.sql.catalyst.analysis.NoSuchFunctionException;
import org.apache.spark.sql.connector.catalog.FunctionCatalog;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** The catalog of our functions. */
public class Functions implements FunctionCatalog {
    private final List<Function> all = List.of(
        new ReadEvent(), new CheckRecord(), new DecideRecord(), new FinishRecord(), new RunRecord(),
        new RunAnswered(), new Cells());
    private String name;

    @Override
    public void initialize(String name, CaseInsensitiveStringMap options) {
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Identifier[] listFunctions(String[] namespace) {
        if (namespace.length > 0) {
            return new Identifier[0];
        }
        return all.stream().map(function -> Identifier.of(namespace, function.name())).toArray(Identifier[]::new);
    }

    @Override
    public UnboundFunction loadFunction(Identifier wanted) throws NoSuchFunctionException {
        return all.stream()
            .filter(function -> wanted.namespace().length == 0 && function.name().equals(wanted.name()))
            .findFirst()
            .orElseThrow(() -> new NoSuchFunctionException(wanted));
    }
}
