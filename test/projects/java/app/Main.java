package app;

import java.util.List;
import java.util.stream.Collectors;

/** A program of several files, with what makes the compiler work: records, lambdas, generics. */
public class Main {
  public static void main(String[] args) {
    List<Shape> shapes = List.of(new Circle(2), new Square(3), new Square(4));
    String names = shapes.stream().map(Shape::describe).collect(Collectors.joining(", "));
    System.out.println(names + ": " + Math.round(new Total<>(shapes).sum(Shape::area)));
    System.exit(6);
  }
}
