"""The text that the rendered voices read, written for this project and under the project's own licence.

The two training lists share no sentence, so the corpus is non-parallel as a CycleGAN expects. Only the
evaluation list is read by both voices: it exists to measure a trained model and must stay out of training.
"""

from __future__ import annotations

_TRAIN_A = """
The ferry leaves the northern pier shortly after breakfast.
Did anyone remember to water the basil on the balcony?
Seven yellow kites drifted over the quiet beach all afternoon.
My cousin repairs violins in a workshop behind the bakery.
A thin layer of frost covered every leaf in the orchard.
Please fold the blue blanket and put it on the shelf.
Why does the kitchen always smell of cinnamon on Thursdays?
The judge listened carefully before she gave her measured reply.
We found an unusual treasure map inside the old piano stool.
Thick clouds gathered above the valley while the farmers hurried home.
Could you explain how the new ticket machine works?
The choir practised the same difficult chorus for nearly two hours.
Joyful voices echoed through the narrow stone passage.
He measured the width of the doorway with a piece of string.
Our neighbour keeps bees and shares the honey every autumn.
The puzzle was easy once she turned the picture upside down.
Which road should we take to reach the lighthouse before dark?
A clumsy puppy knocked the vase of roses off the table.
They watched the orange sun vanish behind the purple hills.
The engine coughed twice and then began to purr.
Fresh bread and sharp cheese make a very good lunch.
She whispered the password and the heavy gate swung open.
The museum bought a rare collection of painted masks.
How long have you been waiting for the evening bus?
Two brown horses stood under the oak to escape the rain.
The shy boy in the third row solved the problem first.
I would rather walk than sit in traffic for an hour.
Heavy boots left a trail of mud across the polished floor.
The doctor advised him to rest his injured shoulder.
Every spring the river floods the lower part of the meadow.
Have you ever tasted soup made from roasted chestnuts?
The captain checked the compass and turned the ship toward shore.
Loose threads hung from the sleeves of his favourite jacket.
A gentle breeze moved the curtains in the empty room.
The teacher drew a huge triangle on the dusty board.
Nobody noticed the tiny crack that ran along the ceiling.
You can borrow my umbrella if you return it by Friday.
The chef poured warm chocolate over a bowl of frozen cherries.
Strange noises came from the attic just before midnight.
Were the tomatoes ripe enough to pick this morning?
The young pilot described her first flight above the desert.
Grandfather polished the brass clock until it shone like gold.
The village holds a market beside the church on Saturday.
A good joke can change the mood of a whole room.
She paints small portraits of people she meets on trains.
The choice between coffee and tea is never simple for him.
We usually finish our work before the cleaning crew arrives.
Sheep wandered freely along the edge of the steep cliff.
Who left this enormous pair of gloves on the porch?
The azure water of the lagoon was perfectly clear.
It took five strong men to move the marble statue.
The radio announced a delay on every line through the city.
Her laughter was loud enough to wake the sleeping cat.
A worn leather suitcase stood forgotten near platform nine.
The girls built a raft from barrels, rope and driftwood.
Is there any room left in the back of the van?
The author signs each book with a green fountain pen.
Thunder shook the windows, but the children kept on dancing.
He planted three rows of beans and a patch of thyme.
The bridge was closed because of ice and strong wind.
Quick decisions are not always the wisest ones.
The orchestra tuned their instruments while the audience found seats.
An owl called softly from somewhere beyond the garden wall.
Would you mind holding this ladder for a moment?
The tailor shortened the coat and replaced two missing buttons.
Fishermen mended their nets in the shade of the harbour sheds.
I heard the whistle of a train far down the valley.
The jury could not agree on the value of the painting.
A pinch of ginger improves almost any vegetable stew.
The old cinema will reopen with a film about space travel.
They argued over the rules until the game was forgotten.
Please remind your brother about the meeting on Wednesday.
The surgeon washed her hands and studied the chart again.
Bright lanterns lined the path from the gate to the house.
What colour should we choose for the front door?
The carpenter chose ash for the frame and pine for the drawers.
Snow fell so thickly that the road signs disappeared.
The squirrel buried its acorns beneath my favourite rose bush.
We shared a large pot of noodles with mushrooms and garlic.
The mayor thanked the volunteers for their patience and courage.
A sudden cough broke the silence of the reading room.
The boy threw a smooth pebble and counted seven skips.
Are those voices coming from the television or the street?
Her brother collects coins from countries that no longer exist.
The leather chair creaked whenever someone shifted in it.
Bells rang across the town to welcome the returning sailors.
The recipe calls for butter, sugar, flour and patience.
Our guide pointed at a vulture circling high above the gorge.
The thief escaped through a window in the laundry room.
Can you hear the difference between these two guitars?
The gardener trimmed the hedge into the shape of a swan.
Most of the passengers slept through the long night journey.
A curious fox watched us from the far side of the pond.
The printer jammed again, so I copied the page by hand.
Plenty of fresh air will cure that headache of yours.
The twins wear matching scarves but never matching shoes.
He owns a small boat and a very large collection of maps.
The elevator stopped between floors for almost twenty minutes.
Where did the cat hide the other half of the fish?
Golden leaves floated slowly down the silent canal.
The scientist labelled each jar with the date and the temperature.
Soft music from the café drifted into the crowded square.
They chose a path that curved around the frozen marsh.
The farmer sold his youngest mule at the summer fair.
My aunt insists that her television picks up foreign stations.
A broken fence separates our yard from the school playground.
Should we invite the new neighbours to dinner on Sunday?
The cook sharpened every knife before the guests arrived.
Yesterday the postman delivered a parcel without an address.
The beach was covered with shells, seaweed and smooth glass.
She prefers to study early, before the house wakes up.
The soldiers rested in a field of wild poppies.
Few people know that this tower once held a prison.
The birthday cake leaned dangerously toward the left.
How many chairs do we need for the concert?
The mechanic found a bird nest under the bonnet of the truck.
Cold juice and salty crackers were waiting in the shade.
The river bends sharply where the mill used to stand.
He apologised for the noise and lowered his voice.
A pair of white geese guarded the entrance to the farm.
The dentist hummed a cheerful tune while she worked.
The shop sells buttons, ribbons, thread and secondhand hats.
Do you think the weather will improve by the weekend?
The professor pushed a stack of papers across the desk.
Small waves slapped against the side of the wooden boat.
The fire burned low, so we added another log.
Her final exam covered the history of ancient trade routes.
The baby giggled at the shadow of the moving leaves.
A rough sketch is enough to show what you mean.
The hotel garden is full of jasmine and lemon trees.
When will the repairs to the roof be finished?
The hikers followed a row of painted stones to the summit.
Four jugglers entertained the queue outside the theatre.
The spider spun its web between two rusty nails.
We toasted marshmallows and told stories until the stars faded.
The smooth voice on the phone belonged to my old roommate.
This jar contains the last of the raspberry jam.
The road to the quarry is too rough for a bicycle.
She caught the ball with one hand and tossed it back.
Have they decided where to build the new swimming pool?
The weary nurse finally sat down with a cup of tea.
Dark stains on the carpet told the story of the party.
The parrot repeats everything except its own name.
The hall was decorated with paper birds and silver thread.
Everyone cheered when the power returned at last.
He traded his watch for a compass and a warm coat.
The stairs behind the stage lead to a hidden storeroom.
Could this be the shortest route to the airport?
The train rolled past vineyards, castles and muddy fields.
A fair price was agreed after an hour of friendly talk.
The lawyer underlined one sentence in bright red ink.
Mice had chewed a hole through the corner of the sack.
The little theatre shows a different puppet play each month.
I never thought a cactus could need so much attention.
The sculptor carved a pair of hands from a single block.
Does the museum stay open late during the holidays?
The trumpet player missed the bus and arrived by taxi.
Warm rain washed the chalk drawings from the pavement.
The librarian stamped the book and smiled without a word.
They live in a narrow house with a bright red chimney.
The pilot circled twice before landing on the short runway.
Her garden produces more zucchini than the family can eat.
The mirror in the hallway makes everyone look taller.
What happened to the bicycle that stood beside the shed?
The storm passed quickly and left the air smelling of pine.
"""

_TRAIN_B = """
The morning paper was soaked by the time I found it.
Ten minutes later the whole team was covered in paint.
Is the bookshop on the corner still looking for staff?
A row of poplars marks the boundary of the estate.
The drummer tapped a steady rhythm on the edge of the table.
Fresh snow hid the tracks that the wolves had made.
She folded the letter twice and slipped it under the door.
Our dog barks at thunder, bicycles and balloons.
The waiter recommended the grilled trout with fennel.
Why was the fountain switched off during the festival?
The judge's wife breeds small horses on a farm up north.
They carried the canoe over the ridge to the next lake.
A loud crash from the garage ended our conversation.
The apprentice learned to bend glass over a blue flame.
Nothing grows in the shadow of that enormous wall.
Would you like your coffee with milk or without?
The children chased a hoop along the gravel path.
My uncle drives a yellow tram through the centre of town.
The choice of a captain caused a long and noisy dispute.
Wet leaves made the platform slippery and dangerous.
He hung the wash between the pear tree and the fence.
The last chapter reveals who stole the emerald ring.
How deep is the water beneath the old stone bridge?
Three generations of bakers have worked in this cellar.
The coach praised the youngest runner for her steady pace.
Put the onions in first and let them turn golden.
A faint smell of smoke lingered in the curtains.
The astronomer pointed her telescope at a fuzzy patch of light.
I keep spare batteries in the drawer below the sink.
The bus driver waved as we splashed across the road.
Can you reach the jar on the highest shelf?
The vet examined a tortoise with a cracked shell.
Everybody enjoyed the pleasure of an unexpected holiday.
Tall grass swayed around the ruins of the abbey.
The plumber arrived with three helpers and no tools.
A boy with a violin case waited at the crossing.
The committee will vote on the proposal after lunch.
Our train was late, yet we arrived before the others.
The widow next door grows orchids in her bathroom.
Did the storm damage the roof of the chapel?
He poured the mixture into a shallow dish and stirred.
The cave opened into a chamber full of glittering stone.
Young voices filled the courtyard as the lesson ended.
She bought a secondhand typewriter and taught herself to use it.
The baker shouted good morning to everyone who passed.
A heavy curtain kept the cold out of the chamber.
The fishing village has one street and fourteen boats.
Where can I exchange these coins for local money?
The giant wheel turned slowly above the noisy fair.
Two owls have nested in the roof of the barn.
They measured the field with a rope and four wooden pegs.
The smallest puppy was always the first to the bowl.
An ancient oak fell across the lane in the night.
The clerk checked my passport and yawned.
Blackberries grow thickly along the abandoned railway.
Who taught you to whistle through a blade of grass?
The fog was so dense that even the gulls stayed ashore.
Her boots were muddy, but her smile was bright.
The court ordered the company to return the money.
A narrow staircase winds up to the bell chamber.
We cooked rice over the fire and ate from tin cups.
The zoo has just received a pair of young zebras.
He scratched his chin and moved the bishop forward.
The lamp flickered whenever a truck drove past.
Are you certain that the oven is switched off?
The queen bee is slightly longer than the others.
Volunteers cleared the beach of bottles and tangled rope.
The sailor tied a knot that nobody could undo.
A cheerful fire crackled in the hall of the inn.
The voyage took nine weeks and cost a fortune.
Please turn the volume down after ten in the evening.
The goat chewed through the rope and wandered into the shop.
Steam rose from the vents along the icy pavement.
Her theory explains why the glacier moves in summer.
The tourists photographed every door in the village.
Shall we meet under the clock at half past six?
The cupboard was full of candles, string and broken cups.
An honest answer is worth more than a clever one.
The ball bounced twice and rolled beneath the parked car.
Their youngest daughter wants to become a beekeeper.
The hurricane changed course and spared the southern islands.
I dropped the keys somewhere between here and the stable.
The painter mixed a shade of grey with a hint of rose.
What kind of wood did they use for the floor?
The ranger warned us about loose rocks near the waterfall.
Sour cherries and cream were served after the roast.
The tower leans a little more each year.
He rehearsed his speech in front of the bathroom mirror.
The old shepherd counts his flock in a forgotten language.
A pigeon landed on the sill and tapped the glass.
The factory makes springs, hinges and garden gates.
Do these mushrooms look safe to you?
The lecture on volcanoes drew an unusually large crowd.
She stitched a patch of velvet onto the worn elbow.
A line of ants crossed the picnic cloth toward the jam.
The harbour master logs every vessel that enters the bay.
Their shelter was made of branches, moss and canvas.
The actor forgot his lines and invented better ones.
Rust had eaten a hole in the bottom of the bucket.
When did the swallows return to the barn this year?
The valley is famous for its peaches and its silence.
He pedalled hard to reach the top before sunset.
The sheriff parked his jeep across the dusty road.
Our teacher brought a real meteorite to the class.
Light from the streetlamp made patterns on the wall.
The barber tells the same story to every customer.
A sharp turn to the left leads to the boathouse.
They joined the search with torches and a pair of hounds.
The kettle whistled and the whole house came to life.
Could we paint the ceiling before the furniture arrives?
The engineer designed a pump that needs no fuel.
Crisp apples and walnuts filled the wicker basket.
The sign above the tavern shows a fish wearing a crown.
My sister threw out her sketches and started again.
The river froze from bank to bank in January.
He keeps a journal of every bird he has seen.
The nurse gave the nervous boy a sticker and a smile.
Rain drummed on the tin roof for most of the night.
The path through the woods is longer but prettier.
Have you noticed how quiet the engine has become?
A jeweller weighed the stone and shook his head.
The auction began with a carved chest from the Orient.
Hot sand burned our feet as we raced to the water.
The clown juggled plates while riding a tall unicycle.
The mountain hut offers soup, bread and a dry bunk.
She rarely eats breakfast, yet she never skips dessert.
The secret passage begins behind a shelf of dull books.
How could anyone lose a piano on the way to a concert?
The mason laid the final brick just before noon.
A warm south wind melted the ice on the pond.
The novel follows a thief who cannot bear to lie.
Our cabin stood alone at the end of a gravel track.
The cat stretched, yawned and went back to sleep.
Farmers voted against the plan to widen the highway.
The compass needle swung wildly near the iron cliff.
Does your watch show the correct time in this zone?
The weaver chose threads of copper, indigo and sand.
A dozen eggs lay safely in the straw.
The champion lost her balance on the final jump.
He sealed the envelope with a drop of purple wax.
The bay is shallow enough to cross on foot at low tide.
Strong coffee kept the drivers awake until dawn.
The museum guard knows the story behind each picture.
Which of these puzzles should we try first?
The boat rocked gently while the fisher baited his hook.
A cloud of dust followed the wagon down the hill.
The youngest monk rings the bell at four each morning.
Chalk dust floated in a beam of afternoon sunshine.
The tenants complained about the noise of the boiler.
She crossed the square without looking at the crowd.
The wooden bridge swayed but held their weight.
I wrapped the cups in newspaper and closed the box.
The cherry tree blossoms before its leaves appear.
Is this seat taken, or may I join you?
A thin cat slept on a pile of folded sacks.
The mayor opened the bridge with a pair of giant scissors.
Their argument about chess lasted longer than the game.
The peach juice ran down his chin and onto his shirt.
Workers poured fresh concrete around the base of the tower.
The dancer bowed, and the hall erupted in applause.
We missed the turn and ended up beside a reservoir.
The shoemaker hums while he hammers each tiny nail.
Look at the size of that whale beyond the reef!
The soup needs salt, pepper and another hour on the stove.
Why would a fox visit the same garden every evening?
"""

_EVAL = """
The clever boy hid a silver key beneath the garden path.
Would you join us for a picnic beside the lake on Sunday?
Heavy rain delayed the match for more than an hour.
She usually reads the weather report before choosing a jacket.
A large grey ship moved slowly through the morning mist.
Who could have guessed that the treasure was a box of toys?
Their father built the house with rough stone and cedar beams.
The azalea near the porch blooms earlier than any other flower.
Five judges watched the young gymnast finish her routine.
I thought the voice on the telephone sounded very familiar.
The cook added ginger, thyme and a spoonful of yellow mustard.
How far is it from the airport to the centre of town?
"""


def _lines(block: str) -> list[str]:
    """Keep one sentence a line in the blocks above, so that a diff shows exactly which text changed."""
    return [line for line in block.splitlines() if line]


TRAIN_A = _lines(_TRAIN_A)
TRAIN_B = _lines(_TRAIN_B)
EVAL = _lines(_EVAL)
