package io.cowfs.tools.command;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A property and the value that it is to get; whether there is such a property is the pool's to
 * say.
 */
record PropertyAssignment(String name, String value) {
  /**
   * Reads {@code PROPERTY=VALUE}; the value may be empty and may have equal signs.
   *
   * @throws IllegalArgumentException with one line for the user
   */
  static PropertyAssignment parse(String text) {
    int sign = text.indexOf('=');
    if (sign < 1) {
      throw new IllegalArgumentException("'" + text + "' sets no property: write PROPERTY=VALUE");
    }
    return new PropertyAssignment(text.substring(0, sign), text.substring(sign + 1));
  }

  /** The values by property, in the order given; twice the same is wrong usage of the command. */
  static Map<String, String> toMap(List<PropertyAssignment> assignments, PoolCommand command) {
    Map<String, String> values = new LinkedHashMap<>();
    for (PropertyAssignment assignment : assignments) {
      if (values.put(assignment.name(), assignment.value()) != null) {
        throw command.wrongUsage("the property " + assignment.name() + " is set twice");
      }
    }
    return values;
  }

  /** As it was read. */
  @Override
  public String toString() {
    return name + "=" + value;
  }

  static final class Converter implements ITypeConverter<PropertyAssignment> {
    @Override
    public PropertyAssignment convert(String value) {
      try {
        return parse(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
