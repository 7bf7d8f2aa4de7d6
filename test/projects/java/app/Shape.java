package app;

/** What `Main` adds up. */
public sealed interface Shape permits Circle, Square {
  double area();

  default String describe() {
    return switch (getClass().getSimpleName()) {
      case "Circle" -> "round";
      default -> "square " + area();
    };
  }
}

record Circle(double radius) implements Shape {
  public double area() {
    return Math.PI * radius * radius;
  }
}

record Square(double side) implements Shape {
  public double area() {
    return side * side;
  }
}
