/** Small trees with round numbers, made by hand, in the order of the lessons. The text is that of store/lesson/example.ts. */
export interface NamedExample {
  readonly title: string;
  readonly text: string;
}

export const EXAMPLES: readonly NamedExample[] = [
  { title: 'Two turns, three leaves', text: '0.5(0.5=1,0.5=0),0.5=0' },
  { title: 'Four leaves, one of them alone', text: '0.5(0.5=1,0.5=1,0.5=0),0.5=0' },
  { title: 'One sure child, one unsure', text: '0.5(0.1=1,1=0),0.5=0' },
  { title: 'A turn without siblings', text: '0.5(0.5(0.5=1,0.5=0)),0.5=0' },
  { title: 'A dead group', text: '0.5(0.5=0,0.5=0),0.5=0' },
  { title: 'Broken form', text: '0.5(0.5=1,0.5=-1),0.5=0,0.5=0' },
];
